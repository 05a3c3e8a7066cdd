"""Distances between generated and real pictures: FID and KID."""
