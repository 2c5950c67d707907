"""Fine-tuning inside the TEE, in a process of its own: data and validated hyperparameters in, an adapter out.

Nothing of the renter's runs as code: models are loaded from `safetensors` only, without remote code, and a
job is a `TrainingJob` file plus JSON Lines datasets.
"""
