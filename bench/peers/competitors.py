"""How each competitor's program is started, and which of them this machine has."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = {"openmpi": "libopenmpi-dev, openmpi-bin", "mpich": "libmpich-dev, mpich", "gloo": "libgloo-dev"}


@dataclass
class Competitor:
    name: str
    command: object          # (work, sizes, shared, registered) -> list of strings
    environment: dict = field(default_factory=dict)


def sizes_argument(work):
    return ",".join(str(size) for size in work.sizes)


class Machine:
    """Where the programs are, and what they are started with."""

    def __init__(self, build):
        self.build = Path(build)
        self.programs = self.build / "bench" / "peers"
        self.venv = self.build / "peers" / "venv"
        self.processors = sorted(os.sched_getaffinity(0))
        self.skipped = {}
        self.competitors = {}
        self._find()

    def crowd(self, work):
        """More ranks than two are measured on two processors, whatever the machine has."""
        if work.ranks == 2 or len(self.processors) <= 2:
            return []
        return ["taskset", "-c", ",".join(map(str, self.processors[:2]))]

    def _arguments(self, work, shared):
        return ["--op", work.op, "--ranks", str(work.ranks), "--sizes", sizes_argument(work), "--shared", shared]

    def define(self, name, command, environment=None):
        self.competitors[name] = Competitor(name, command, environment or {})

    def _find(self):
        psctl = self.build / "bin" / "psctl"

        def ours(work, shared, registered):
            command = [str(psctl), "bench", "--op", work.op, "--ranks", str(work.ranks), "--dtype", "f32",
                       "--format", "json", "--rounds", "1"]
            if work.sizes != (0,):
                command += ["--sizes", sizes_argument(work)]
            return command + (["--registered"] if registered else [])

        self.define("ours", ours)
        self.define("limit", self._program("peer_limits"))
        as_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   # A stranger's message of every start, and probes for networks that one host does not need.
                   "OMPI_MCA_btl_base_warn_component_unused": "0"}
        for name, parameters in (("openmpi", []), ("openmpi_sm", ["--mca", "coll_sm_priority", "100"])):
            self._mpi(name, "peer_openmpi", "mpirun.openmpi", ["--bind-to", "none"] + parameters, as_root, "openmpi")
        self._mpi("mpich", "peer_mpich", "mpirun.mpich", [], {}, "mpich")
        if (self.programs / "peer_gloo").exists():
            self.define("gloo", self._program("peer_gloo"))
        else:
            self.skipped["gloo"] = f"not installed: {PACKAGES['gloo']}"
        self._from_pypi()

    def _program(self, name):
        return lambda work, shared, registered: [str(self.programs / name)] + self._arguments(work, shared)

    def _mpi(self, name, program, launcher, options, environment, package):
        if not (self.programs / program).exists() or not on_path(launcher):
            self.skipped[name] = f"not installed: {PACKAGES[package]}"
            return

        def command(work, shared, registered):
            crowded = ["--oversubscribe"] if launcher == "mpirun.openmpi" and work.ranks > 2 else []
            return [launcher, "-n", str(work.ranks)] + options + crowded + \
                [str(self.programs / program)] + self._arguments(work, shared)
        self.define(name, command, environment)

    def _from_pypi(self):
        libraries = self.venv / "lib"
        if (self.programs / "peer_oneccl").exists():
            self.define("oneccl", self._program("peer_oneccl"),
                      {"LD_LIBRARY_PATH": str(libraries), "CCL_ROOT": str(self.venv), "CCL_ATL_TRANSPORT": "ofi",
                       "FI_PROVIDER_PATH": str(libraries), "FI_PROVIDER": "tcp", "CCL_LOG_LEVEL": "error",
                       "CCL_PROCESS_LAUNCHER": "none", "CCL_ATL_SHM": "1",
                       # Its own threads would share the ranks' processors with them: milliseconds an operation.
                       "CCL_WORKER_OFFLOAD": "0"})
        else:
            self.skipped["oneccl"] = "not installed: oneccl-cpu-devel of PyPI"
        python = self.venv / "bin" / "python"
        if python.exists() and list(libraries.glob("python3*/site-packages/torch/__init__.py")):
            script = Path(__file__).with_name("torch_peer.py")
            self.define("torch_gloo", lambda work, shared, registered:
                      [str(python), str(script), str(self.programs)] + self._arguments(work, shared),
                      {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"})
        else:
            self.skipped["torch_gloo"] = "not installed: torch of PyPI"


def on_path(program):
    return any((Path(folder) / program).exists() for folder in os.environ.get("PATH", "").split(":"))


def versions(machine):
    """Name to version of what was measured, as its package says."""
    found = {}
    for name, package in (("openmpi", "openmpi-bin"), ("mpich", "mpich"), ("gloo", "libgloo-dev")):
        if name in machine.competitors:
            shown = subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}", package], text=True,
                                   capture_output=True, check=False)
            found[name] = shown.stdout.strip() or "unknown"
    for name, package in (("oneccl", "oneccl_cpu"), ("torch_gloo", "torch")):
        for folder in machine.venv.glob(f"lib/python3*/site-packages/{package}-*.dist-info"):
            if name in machine.competitors:
                found[name] = folder.name.removesuffix(".dist-info").split("-", 1)[1]
    return found
