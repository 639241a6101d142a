"""A file system of a few megabytes that can be filled, freed, and made read-only while it is used.
It is a tmpfs where mounting is allowed. Elsewhere the process under test is forbidden to let files
grow, which fails its writes at the same place with another number."""
import ctypes
import os
import resource
import subprocess

SYNTHETIC = 4096
NEW_MOUNTS, NEW_USER = 0x20000, 0x10000000


def _own_mounts():
    """A view of the file system of our own: what is mounted ends with the last process of the test.
    Who is not root becomes it for these mounts only."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_MOUNTS) != 0:
        if libc.unshare(NEW_MOUNTS | NEW_USER) != 0:
            return False
        for name, line in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode == 0


OWN_MOUNTS = "NO_MOUNTS" not in os.environ and _own_mounts()


class Disk:
    def __init__(self, folder, megabytes=24):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.ballast = folder, os.path.join(folder, "ballast")
        self.process = None  # whose files stop growing where nothing can be mounted
        self.mounted = OWN_MOUNTS and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", folder],
            capture_output=True).returncode == 0

    def use(self, process):
        """The process whose ledger lies here."""
        self.process = process

    def fill(self):
        if not self.mounted:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE,
                             (SYNTHETIC, resource.RLIM_INFINITY))
            return
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass

    def free(self):
        if not self.mounted:
            if self.process.poll() is None:  # its limit ended with it
                resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE,
                                 (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        elif os.path.exists(self.ballast):
            os.remove(self.ballast)

    def remount(self, how):
        """`ro` or `rw`; false when that cannot be done here, or not at this moment."""
        return self.mounted and subprocess.run(["mount", "-o", f"remount,{how}", self.folder],
                                               capture_output=True).returncode == 0

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], capture_output=True)
            self.mounted = False


class FaultyDisk:
    """Makes a process's files in a folder slow or broken, while it runs: `environment` is what the
    process is started with."""

    def __init__(self, work, folder):
        library = os.path.join(work, "faulty_disk.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faulty_disk.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self.control = os.path.join(work, "fault")
        self.environment = {"LD_PRELOAD": library, "FAULT_FILE": self.control,
                            "FAULT_DIR": folder.rstrip("/") + "/"}
        self.well()

    def _say(self, text):
        with open(self.control + ".new", "w") as file:
            file.write(text)
        os.rename(self.control + ".new", self.control)

    def well(self):
        self._say("")

    def slow(self, milliseconds):
        self._say(f"slow {milliseconds}\n")

    def fails(self, number):
        self._say(f"fails {number}\n")
