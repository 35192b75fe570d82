"""Starts the runtime, which is a module so that it comes compiled."""

import coldstorm_runtime

coldstorm_runtime.main()
