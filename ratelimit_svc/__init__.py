"""How often users and addresses may call: the service that the edge asks by Envoy's rate-limit protocol."""
