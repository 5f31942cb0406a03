"""Memory of a device, used by several processes of a role through one that owns the device."""
