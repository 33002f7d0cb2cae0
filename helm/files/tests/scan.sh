# One whole scan: upload, classification, rules, answer, reward. `eco2 scan` fails if the scan does.
set -e
python -m local.sample_photo /tmp/note.jpg
eco2 login --guest
eco2 scan /tmp/note.jpg --json
eco2 delete-me --yes
