"""srun of a real Slurm: a controller and a daemon of this test's own on this machine, with their own authentication,
ports and folders."""

import contextlib
import os
import pwd
import re
import signal
import subprocess
import time

import launching
from launching import ENDS_WITH_ITS_PARENT, LIMIT_S, LaunchTest, clean_environment, hold_port, program

SIZE = 4


class Cluster:
    """munged, slurmctld and slurmd in a folder; gone when the test class is done."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.daemons = []
        self.environment = {**clean_environment(), "SLURM_CONF": self.path("slurm.conf")}

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def start(self, add_cleanup) -> None:
        os.chmod(self.folder, 0o711)  # munged insists that everybody can reach its socket
        for name in ("run", "state", "spool"):
            os.mkdir(self.path(name), 0o755)
        host = os.uname().nodename.split(".")[0]
        user = pwd.getpwuid(os.geteuid()).pw_name
        cpus = os.cpu_count()
        ports = [hold_port(add_cleanup) for _ in range(2)]
        with open(self.path("slurm.conf"), "w") as file:
            file.write(f"""ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={self.path('run/munge.socket')}
CryptoType=crypto/munge
CredType=cred/munge
StateSaveLocation={self.path('state')}
SlurmdSpoolDir={self.path('spool')}
SlurmctldPidFile={self.path('run/slurmctld.pid')}
SlurmdPidFile={self.path('run/slurmd.pid')}
SlurmctldLogFile={self.path('slurmctld.log')}
SlurmdLogFile={self.path('slurmd.log')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={max(8, 2 * cpus)} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
""")
        with open(self.path("munge.key"), "wb") as file:
            os.chmod(self.path("munge.key"), 0o600)
            file.write(os.urandom(1024))
        self.daemon("munged", "munge", "--foreground", f"--key-file={self.path('munge.key')}",
                    f"--socket={self.path('run/munge.socket')}", f"--pid-file={self.path('run/munged.pid')}",
                    f"--log-file={self.path('munged.log')}", f"--seed-file={self.path('run/munged.seed')}")
        self.wait(lambda: os.path.exists(self.path("run/munge.socket")), "munged listens")
        self.daemon("slurmctld", "slurm-wlm", "-D", "-i")
        self.daemon("slurmd", "slurm-wlm", "-D", "-N", host)
        self.wait(lambda: re.search(r"^idle", self.ask("sinfo", "--noheader", "--format=%T"), re.M), "the node is idle")

    def daemon(self, name: str, package: str, *arguments: str) -> None:
        with open(self.path(name + ".out"), "wb") as out:
            self.daemons.append(subprocess.Popen([*ENDS_WITH_ITS_PARENT, program(name, package), *arguments],
                                                 env=self.environment, stdout=out, stderr=out,
                                                 stdin=subprocess.DEVNULL, start_new_session=True))

    def ask(self, *command: str) -> str:
        return subprocess.run([program(command[0], "slurm-wlm"), *command[1:]], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=LIMIT_S).stdout

    def wait(self, condition, what: str) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            dead = [daemon.args[0] for daemon in self.daemons if daemon.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise AssertionError(f"not within {LIMIT_S} s: {what}; ended: {dead}\n{self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(self.path(name), errors="replace") as file:
                    text += f"--- {name}\n" + file.read()[-3000:]
        return text

    def stop(self) -> None:
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in reversed(self.daemons):
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait(LIMIT_S)
        self.kill_steps()

    def kill_steps(self) -> None:
        """A step's own daemon may wait for the others for ever, and is no child of this process."""
        own = f"SLURM_CONF={self.path('slurm.conf')}".encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                with open(f"/proc/{pid}/environ", "rb") as file:
                    is_own = own in file.read().split(b"\0")
                if is_own:
                    os.kill(int(pid), signal.SIGKILL)


class Slurm(LaunchTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster_folder = launching.make_folder(cls.addClassCleanup)
        cls.cluster = Cluster(cls.cluster_folder)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start(cls.addClassCleanup)

    def setUp(self) -> None:
        super().setUp()
        self.environment["SLURM_CONF"] = self.cluster.path("slurm.conf")

    def srun(self, *arguments: str) -> list:
        return [program("srun", "slurm-wlm"), "--quiet", *arguments]

    def test_a_step_is_a_world(self) -> None:
        self.expect_world(self.run_command(self.srun("-n", str(SIZE), launching.RANK)), SIZE, "Slurm")

    def test_two_steps_of_one_allocation_do_not_meet(self) -> None:
        step = f"srun --quiet --overlap -n {SIZE} {launching.RANK}"
        script = f"{step} > {self.path('first')} & {step} > {self.path('second')}; code=$?; wait $! && exit $code"
        self.run_command([program("salloc", "slurm-wlm"), "--quiet", "-n", str(SIZE), "sh", "-c", script])
        for name in ("first", "second"):
            with open(self.path(name)) as file:
                self.expect_world(file.read(), SIZE, "Slurm")

    def test_a_shell_in_an_allocation_is_no_rank(self) -> None:
        out = self.run_command([program("salloc", "slurm-wlm"), "--quiet", "-n", str(SIZE), "sh", "-c",
                                f"env | grep -c ^SLURM_; {launching.RANK}"])
        self.assertGreater(int(out.splitlines()[0]), 0)
        self.expect_world(out, 1, "alone")

    def test_a_batch_script_is_no_rank_and_its_steps_are(self) -> None:
        script = self.path("script")
        with open(script, "w") as file:
            file.write(f"#!/bin/sh\necho PROCID=$SLURM_PROCID\n{launching.RANK}\n"
                       f"srun --quiet -n {SIZE} {launching.RANK}\n")
        self.run_command([program("sbatch", "slurm-wlm"), "--wait", "-n", str(SIZE), "-o", self.path("out"), script])
        with open(self.path("out")) as file:
            found, alone, *step = file.read().splitlines()
        self.assertEqual(found, "PROCID=0")
        self.expect_world(alone, 1, "alone")
        self.expect_world("\n".join(step), SIZE, "Slurm")

    def test_psctl_in_a_step_of_one_task_makes_its_own_world(self) -> None:
        out = self.run_command(self.srun("-n", "1", launching.PSCTL, "run", "-n", "2", "--quiet", launching.RANK))
        self.expect_world(out, 2, "PS_*")

    def test_mpirun_in_a_step_of_one_task_makes_its_own_world(self) -> None:
        # MPICH's mpirun would ask Slurm for its hosts. It is given an input that never ends, see mpi_test.
        mpirun = program("mpirun.mpich", "mpich")
        never = self.path("never")
        os.mkfifo(never)
        out = self.run_command(self.srun("-n", "1", "sh", "-c", f"exec {mpirun} -launcher fork -host localhost -n 2 "
                                         f"{launching.RANK} <>{never}"))
        self.expect_world(out, 2, "PMI")

    def test_half_of_a_steps_variables_is_refused_and_ends_the_step(self) -> None:
        step = self.start(self.srun("-n", "1", "sh", "-c",
                                    f"unset SLURM_STEP_NUM_TASKS SLURM_NTASKS; exec {launching.RANK}"))
        self.finish(step, code=1)
        self.assertIn("the environment has SLURM_PROCID=0 but no SLURM_NTASKS", step.said)


if __name__ == "__main__":
    launching.skip_unless_root("Slurm's daemons")
    launching.main()
