"""The GPU operator's daemon: claims rentals, proves its TEE, fine-tunes, seals and submits the result."""
