# A guest signs in, is known, and goes again.
set -e
eco2 login --guest
eco2 whoami
eco2 delete-me --yes
