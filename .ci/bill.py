#!/usr/bin/env python3
"""Adds to a bill of materials (CycloneDX JSON, from the NuGet packages of the program) what else is in the image: the .NET runtime that was
published with the program, and the packages of the base. Base images name their packages in one of three ways: the database of dpkg, its parts
(distroless), or the manifest of chisel. A base that names none makes a bill that says that it is incomplete.

Usage: .ci/bill.py BILL DEPS ROOT
  BILL  the file that is added to
  DEPS  sticky-ingress.deps.json of the published program
  ROOT  the base's files as a tar, as docker export writes them
"""
import io
import json
import re
import subprocess
import sys
import tarfile
from urllib.parse import quote


def runtimes(deps):
    """The runtime packs are NuGet packages too, but no project references them."""
    for name in json.load(open(deps))["libraries"]:
        if found := re.fullmatch(r"runtimepack\.(.+)/(.+)", name):
            yield component(*found.groups(), f"pkg:nuget/{found[1]}@{found[2]}")


def packages(root):
    """Of the base, each once."""
    with tarfile.open(root) as tar:
        files = {member.name.removeprefix("./"): member for member in tar if member.isfile() or member.issym()}

        def read(name):
            return tar.extractfile(files[name]).read().decode()

        system = next((read(name) for name in ("etc/os-release", "usr/lib/os-release") if name in files and files[name].isfile()), "")
        found = re.search(r'^ID="?([^"\n]+)', system, re.MULTILINE)
        vendor = found[1] if found else "debian"
        stanzas = [
            stanza
            for name in files
            if name == "var/lib/dpkg/status" or re.fullmatch(r"var/lib/dpkg/status\.d/[^/]+(?<!\.md5sums)", name)
            for stanza in read(name).split("\n\n")
        ]
        known = [dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE)) for stanza in stanzas]
        known = [(one["Package"], one["Version"], one["Architecture"]) for one in known if "installed" in one.get("Status", "installed") and "Package" in one]
        if "var/lib/chisel/manifest.wall" in files:
            wall = subprocess.run(["zstd", "-dc"], input=tar.extractfile(files["var/lib/chisel/manifest.wall"]).read(), stdout=subprocess.PIPE, check=True)
            lines = [json.loads(line) for line in io.StringIO(wall.stdout.decode())]
            known += [(one["name"], one["version"], one["arch"]) for one in lines if one.get("kind") == "package"]

    for name, version, architecture in sorted(set(known)):
        yield component(name, version, f"pkg:deb/{vendor}/{quote(name, safe='')}@{quote(version, safe='')}?arch={architecture}")


def component(name, version, purl):
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def main(bill, deps, root):
    content = json.load(open(bill))
    runtime, base = list(runtimes(deps)), list(packages(root))
    if not runtime:
        sys.exit(f"bill: {deps} names no runtime; the program was not published with its own")
    if not base:
        print("bill: the base does not say what packages it is made of; the bill says that it is incomplete", file=sys.stderr)
        content["compositions"] = [{"aggregate": "incomplete", "assemblies": [content["metadata"]["component"]["bom-ref"]]}]
    content["components"] = content.get("components", []) + runtime + base
    with open(bill, "w") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
