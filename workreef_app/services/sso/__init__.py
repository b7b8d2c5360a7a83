"""Single sign-on by OpenID Connect: one provider a tenant, answers checked, groups as personas. Keeps P25, P41."""
