"""Which artworks look alike, in which feature space, and how far can the answer be trusted?"""

__version__ = "0.2.0"
