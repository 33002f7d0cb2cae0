# Scans photo.jpg by curl: `set -a; . var/stack.env; set +a; sh scan.sh`, in the folder of the photo.
set -eu
field() { python3 -c "import json; print(json.load(open('created.json'))$1)"; }

# 1. Announce the photo. The reply says where to upload it.
curl -sf "$ECO2_REST_URL/v1/scans" -H "Authorization: Bearer $ECO2_TOKEN" -d "{\"locale\": \"en\",
  \"upload\": {\"content_type\": \"image/jpeg\", \"size_bytes\": $(wc -c < photo.jpg)}}" > created.json
scan=$ECO2_REST_URL/v1/scans/$(field '["scan"]["scan_id"]')

# 2. Upload it. 412 to a repeated upload means that it is there already.
curl -sf -T photo.jpg "$(field '["upload"]["url"]')" -H "Content-Type: image/jpeg" -H "If-None-Match: *"

# 3. Start, and watch to the end.
curl -sf "$scan:start" -H "Authorization: Bearer $ECO2_TOKEN" -d '{}'
curl -sfN "$scan:watch" -H "Authorization: Bearer $ECO2_TOKEN" -H "Accept: text/event-stream"
