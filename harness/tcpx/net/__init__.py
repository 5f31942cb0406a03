"""The ncclNet verbs and what implements them."""
