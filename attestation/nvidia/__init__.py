"""NVIDIA GPUs: report layout, firmware id, verification."""
