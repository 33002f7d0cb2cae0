"""A stand-in for providers that people sign in with: panva's oidc-provider, in Node."""
