"""Items by what people call them."""
