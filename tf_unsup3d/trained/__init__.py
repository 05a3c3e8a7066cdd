"""What training leaves and everything else uses: trained models and their files."""
