"""Objectives, alerts and dashboards as code: `python -m monitoring FOLDER` writes what Prometheus and Grafana read."""
