"""The viewer: a page on which the objects of a trained model are looked at."""
