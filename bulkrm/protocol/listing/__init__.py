"""Listings page by page: links, pages, and when a listing is whole."""
