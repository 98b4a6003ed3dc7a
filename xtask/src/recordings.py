"""Fetches a source distribution, checks its hash and unpacks some of its test resources.

Arguments: the folder to unpack into, then the names of the files.
"""

import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile

PACKAGE, VERSION = "flumine", "3.3.2"
SHA_256 = "9fc64f726c70ab0cd79d22123070ee62e0b4a3d74b01b5c3067d4b3758cfb540"

folder, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
with tempfile.TemporaryDirectory() as download:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", PACKAGE, "--dest", download, f"{PACKAGE}=={VERSION}"]
    subprocess.run(command, check=True)
    archive = pathlib.Path(download) / f"{PACKAGE}-{VERSION}.tar.gz"
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA_256:
        sys.exit(f"{archive.name}: SHA-256 is {found}, expected {SHA_256}; nothing was unpacked")
    folder.mkdir(exist_ok=True)
    with tarfile.open(archive) as tar:
        for name in names:
            member = tar.extractfile(f"{PACKAGE}-{VERSION}/tests/resources/{name}")
            # Under another name first: a file that is there is whole.
            partial = folder / f"{name}.partial"
            partial.write_bytes(member.read())
            partial.replace(folder / name)
