"""Sign-in at a provider by OpenID Connect: the authorization code flow with PKCE."""
