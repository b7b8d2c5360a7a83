"""The screens: one module a screen, functions of state, without a business rule."""
