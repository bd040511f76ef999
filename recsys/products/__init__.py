"""Lists beside the nightly recommendations, one file each: see `products.base`."""
