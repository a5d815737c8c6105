"""The reader test: can people tell real images from synthetic ones, and what do they see?"""
