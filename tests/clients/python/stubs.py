"""The service's Python stubs, made from the proto file when the tests start: never stale, never committed."""

import importlib
import pathlib
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROTO = ROOT / "proto" / "orderbook.proto"

_folder = tempfile.TemporaryDirectory(prefix="betex-stubs-")
_well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
_failed = protoc.main(
    [
        "protoc",
        f"--proto_path={PROTO.parent}",
        f"--proto_path={_well_known}",
        f"--python_out={_folder.name}",
        f"--grpc_python_out={_folder.name}",
        PROTO.name,
    ]
)
if _failed:
    sys.exit(f"protoc could not read {PROTO}")
sys.path.insert(0, _folder.name)

pb = importlib.import_module("orderbook_pb2")
pb_grpc = importlib.import_module("orderbook_pb2_grpc")
