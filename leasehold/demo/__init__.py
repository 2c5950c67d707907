"""`leasehold demo`: the whole story on a real model, a real dataset and real modules."""

from leasehold.demo.command import demo

__all__ = ["demo"]
