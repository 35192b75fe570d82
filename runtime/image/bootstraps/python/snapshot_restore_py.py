"""Hooks around a SnapStart snapshot, as AWS's managed runtimes for Python have
them (Lambda developer guide: "Lambda SnapStart runtime hooks for Python")."""

_before, _after = [], []


def register_before_snapshot(func, *args, **kwargs):
    """Call func before the snapshot; the hook that was registered last comes first."""
    _before.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Call func after a restore; the hook that was registered first comes first."""
    _after.append((func, args, kwargs))
    return func


def get_before_snapshot():
    return _before


def get_after_restore():
    return _after
