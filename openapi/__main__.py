"""`python -m openapi DESCRIPTORS DESCRIPTION PAGE`: writes the OpenAPI description, and the page that shows it.

DESCRIPTORS is a descriptor set with source information. `make gen` calls this. It is a room of its own because it reads
two others, the contracts in protos/ and the edge in envoy/, and because no service needs it.
"""

import sys
import tomllib
from pathlib import Path

from openapi.contract import Contract
from openapi.document import describe, text
from openapi.edge import ROOT, Tokens
from openapi.page import page

descriptors, description, reference = map(Path, sys.argv[1:])
project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
document = describe(Contract.read(descriptors), Tokens(), project["version"])
description.write_text(text(document), encoding="utf-8")
reference.write_text(page(document), encoding="utf-8")
