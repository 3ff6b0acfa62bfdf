"""`psctl run` with real programs: what ranks find, how they end, and that nothing of them is left.

    psctl_run_test.py PATH_OF_PSCTL [unittest arguments]

Every process that a test starts carries a token of that test in its environment, so that what is left can be found in
/proc whatever became of its parent, its session and its process group.
"""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

PSCTL = ""
LIMIT_S = 60
PYTHON = sys.executable
TOKEN = "PSCTL_TEST_TOKEN"


def processes_with(token):
    """The living processes whose environment has the token, as {pid: command line}."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if f"{TOKEN}={token}".encode() not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{name}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    continue
            with open(f"/proc/{name}/cmdline", "rb") as file:
                found[int(name)] = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


def eventually(condition, what, limit_s=LIMIT_S):
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {limit_s} s: {what}")
        time.sleep(0.01)


class RunTest(unittest.TestCase):
    def setUp(self):
        self.token = uuid.uuid4().hex
        self.directory = tempfile.TemporaryDirectory()
        self.environment = {name: value for name, value in os.environ.items()
                            if not re.match(r"PS_|TORCHELASTIC_|(LOCAL_|GROUP_)?(RANK|WORLD_SIZE)$|MASTER_", name)}
        self.environment[TOKEN] = self.token

    def tearDown(self):
        self.directory.cleanup()
        try:
            eventually(lambda: processes_with(self.token) == {}, "everything ended")
        finally:
            for pid in processes_with(self.token):
                os.kill(pid, signal.SIGKILL)

    def run_psctl(self, *arguments, environment=None, **options):
        return subprocess.run([PSCTL, "run", *arguments], env={**self.environment, **(environment or {})},
                              capture_output=True, text=True, timeout=LIMIT_S, **options)

    def start_psctl(self, *arguments):
        process = subprocess.Popen([PSCTL, "run", *arguments], env=self.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.stdout.close(), process.stderr.close(), process.wait(LIMIT_S)))
        self.addCleanup(process.kill)
        return process

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def read_lines(self, process, count):
        return sorted(process.stdout.readline().rstrip("\n") for _ in range(count))

    # What ranks find.

    def test_variables(self):
        done = self.run_psctl("-n", "3", "--env", "MINE=a=b", "--env", "TWO=2", "--", PYTHON, "-c",
                              "import json, os; print(json.dumps(dict(os.environ)), flush=True)")
        self.assertEqual(done.returncode, 0, done.stderr)
        ranks = {}
        for line in done.stdout.splitlines():
            rank, text = re.fullmatch(r"\[(\d)\] (.*)", line).groups()
            ranks[int(rank)] = json.loads(text)
        self.assertEqual(sorted(ranks), [0, 1, 2])
        for rank, found in ranks.items():
            for name in ("PS_RANK", "PS_LOCAL_RANK", "RANK", "LOCAL_RANK"):
                self.assertEqual(found[name], str(rank), name)
            for name in ("PS_WORLD_SIZE", "PS_LOCAL_SIZE", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
                self.assertEqual(found[name], "3", name)
            self.assertEqual(found["GROUP_RANK"], "0")
            self.assertEqual(found["MASTER_ADDR"], "127.0.0.1")
            self.assertEqual((found["MINE"], found["TWO"]), ("a=b", "2"))
            self.assertRegex(found["PS_SECRET"], r"^[0-9a-f]{64}$")
            self.assertRegex(found["PS_RENDEZVOUS"], r"^unix:///")
            for name in ("PS_RENDEZVOUS", "PS_JOB", "PS_SECRET", "MASTER_PORT"):
                self.assertEqual(found[name], ranks[0][name], name)
        self.assertFalse(os.path.exists(os.path.dirname(ranks[0]["PS_RENDEZVOUS"][len("unix://"):])))
        again = self.run_psctl("-n", "1", "--", "sh", "-c", "echo $PS_JOB $PS_SECRET")
        self.assertNotIn(ranks[0]["PS_JOB"], again.stdout)
        self.assertNotIn(ranks[0]["PS_SECRET"], again.stdout)

    def test_meeting_directory_is_private(self):
        done = self.run_psctl("-n", "1", "--", "sh", "-c", 'stat -c %a "$(dirname "${PS_RENDEZVOUS#unix://}")"')
        self.assertEqual(done.stdout, "[0] 700\n")

    def test_given_secret_and_outer_launch(self):
        done = self.run_psctl("-n", "1", "--", "sh", "-c",
                              "echo $PS_SECRET/$PS_JOB/$PS_WORLD_SIZE/$TORCHELASTIC_RUN_ID",
                              environment={"PS_SECRET": "s", "PS_JOB": "j", "PS_WORLD_SIZE": "9",
                                           "TORCHELASTIC_RUN_ID": "outer"})
        self.assertEqual(done.stdout, "[0] s/j/1/\n")
        done = self.run_psctl("-n", "1", "--env", "PS_SECRET_FILE=/f", "--", "sh", "-c", "echo $PS_SECRET.")
        self.assertEqual(done.stdout, "[0] .\n")

    def test_master_port_can_be_bound_by_a_rank(self):
        program = ("import os, socket\n"
                   "s = socket.create_server(('', int(os.environ['MASTER_PORT'])), reuse_port=False)\n"
                   "print('listening', s.getsockname()[1] == int(os.environ['MASTER_PORT']), flush=True)\n")
        done = self.run_psctl("-n", "1", "--", PYTHON, "-c", program)
        self.assertEqual(done.stdout, "[0] listening True\n", done.stderr)

    def test_two_programs_make_one_world(self):
        done = self.run_psctl("-n", "1", "sh", "-c", "echo a $PS_RANK $PS_WORLD_SIZE", ":",
                              "-n", "2", "--env", "X=1", "--", "sh", "-c", "echo b$X $PS_RANK $PS_WORLD_SIZE")
        self.assertEqual(sorted(done.stdout.splitlines()), ["[0] a 0 3", "[1] b1 1 3", "[2] b1 2 3"])

    def test_stdin_is_empty(self):
        done = self.run_psctl("-n", "2", "--", PYTHON, "-c", "import os, sys; print(repr(sys.stdin.read()), "
                              "os.path.samefile('/proc/self/fd/0', '/dev/null'))", input="something")
        self.assertEqual(sorted(done.stdout.splitlines()), ["[0] '' True", "[1] '' True"])

    def test_ranks_inherit_no_descriptors_and_no_blocked_signals(self):
        program = ("import os\n"
                   "files = [f'/proc/self/fd/{f}' for f in os.listdir('/proc/self/fd') if int(f) > 2]\n"
                   "print([f for f in files if os.path.lexists(f) and not os.readlink(f).startswith('/proc')])\n"
                   "print([l for l in open('/proc/self/status') if l.startswith(('SigBlk', 'SigIgn'))])\n")
        done = self.run_psctl("-n", "1", "--", PYTHON, "-I", "-c", program, close_fds=True)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "[0] []", done.stdout)
        self.assertIn("SigBlk:\\t0000000000000000", lines[1])

    # Output.

    def test_streams_are_kept_apart_and_prefixed(self):
        done = self.run_psctl("--quiet", "-n", "2", "--", "sh", "-c", "echo out; echo err >&2")
        self.assertEqual(sorted(done.stdout.splitlines()), ["[0] out", "[1] out"])
        self.assertEqual(sorted(done.stderr.splitlines()), ["[0] err", "[1] err"])

    def test_unfinished_last_line_gets_its_end(self):
        done = self.run_psctl("-n", "2", "--", "printf", "one\\ntwo")
        self.assertEqual(sorted(done.stdout.splitlines()), ["[0] one", "[0] two", "[1] one", "[1] two"])

    def test_unfinished_line_is_shown_while_its_rank_lives(self):
        process = self.start_psctl("-n", "1", "--", PYTHON, "-c",
                                   "import signal; print('ready? ', end='', flush=True); signal.pause()")
        self.assertEqual(process.stdout.read(len("[0] ready? ")), "[0] ready? ")
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)

    def test_many_lines_stay_whole(self):
        # At most PIPE_BUF, so that no rank is held within a line.
        line = "x" * 4000
        done = self.run_psctl("-n", "4", "--", PYTHON, "-c",
                              f"import os\nfor i in range(250): os.write(1, (str(i) + '{line}' + chr(10)).encode())")
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 1000)
        for rank in range(4):
            self.assertEqual([l for l in lines if l.startswith(f"[{rank}]")],
                             [f"[{rank}] {i}{line}" for i in range(250)])

    def test_a_line_whose_end_waits_for_a_late_reader_stays_whole(self):
        program = ("import os, sys, time\n"
                   "def wait(name):\n"
                   "    while not os.path.exists(sys.argv[1] + name): time.sleep(0.001)\n"
                   "if os.environ['PS_RANK'] == '1':\n"
                   "    os.write(1, b'first half, '); open(sys.argv[1] + 'begun', 'w')\n"
                   "    wait('full'); os.write(1, b'second half' + bytes([10])); wait('read')\n"
                   "else:\n"
                   "    wait('begun'); os.set_blocking(1, False); line = b'x' * 1000 + bytes([10]); held = 0\n"
                   "    while held < 50:\n"
                   "        try: os.write(1, line); held = 0\n"
                   "        except BlockingIOError: held += 1; time.sleep(0.001)\n"
                   "    open(sys.argv[1] + 'full', 'w'); wait('read')\n")

        def is_whole(attempt):
            process = self.start_psctl("-n", "2", "--", PYTHON, "-c", program, self.path(str(attempt)))
            eventually(lambda: os.path.exists(self.path(str(attempt)) + "full"), "psctl takes no more")
            time.sleep(0.5)  # longer than a line may stay unfinished
            open(self.path(str(attempt)) + "read", "w").close()
            return "[1] first half, second half" in process.communicate(timeout=LIMIT_S)[0].splitlines()

        # Where psctl took longer to be full than a line may stay unfinished, the half was shown before that.
        self.assertTrue(any(is_whole(attempt) for attempt in range(5)))

    def test_reader_that_leaves_ends_writers(self):
        process = self.start_psctl("-n", "1", "--", "yes")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(LIMIT_S), 128 + signal.SIGPIPE)

    def test_colour_only_on_a_terminal(self):
        self.assertNotIn("\x1b", self.run_psctl("-n", "1", "--", "echo", "x").stdout)
        controller, terminal = pty.openpty()
        environment = {k: v for k, v in self.environment.items() if k != "NO_COLOR"}
        subprocess.run([PSCTL, "run", "-n", "1", "--", "echo", "x"], env=environment, stdout=terminal,
                       stderr=subprocess.DEVNULL, timeout=LIMIT_S, check=True)
        os.close(terminal)
        text = os.read(controller, 1000).decode()
        os.close(controller)
        self.assertIn("\x1b[", text)
        self.assertRegex(re.sub(r"\x1b\[\d*m", "", text), r"^\[0\] x")

    # Ends.

    def test_every_exit_is_reported(self):
        done = self.run_psctl("-n", "2", "--", "true")
        self.assertEqual(done.returncode, 0)
        for rank in range(2):
            self.assertRegex(done.stderr, rf"psctl run: rank {rank} \(pid \d+\) exited with code 0\n")
        self.assertEqual(self.run_psctl("--quiet", "-n", "2", "--", "true").stderr, "")

    def test_exit_code_is_the_first_failing_ranks(self):
        done = self.run_psctl("--keep-going", "-n", "1", "--", "sh", "-c", "exit 7", ":", "-n", "1", "true")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertRegex(done.stderr, r"rank 0 \(pid \d+\) exited with code 7")

    def test_exit_by_signal(self):
        done = self.run_psctl("-n", "1", "--", "sh", "-c", "kill -9 $$")
        self.assertEqual(done.returncode, 128 + 9)
        self.assertRegex(done.stderr, r"rank 0 \(pid \d+\) was ended by signal 9 \(SIGKILL\)\n")

    def test_a_failing_rank_ends_the_rest(self):
        done = self.run_psctl("-n", "1", "--", "sh", "-c", "exit 3", ":", "-n", "2", "sleep", "1000")
        self.assertEqual(done.returncode, 3)
        self.assertIn("rank 0 failed; ending the 2 still running", done.stderr)
        for rank in (1, 2):
            self.assertRegex(done.stderr,
                             rf"rank {rank} \(pid \d+\) was ended by signal 15 \(SIGTERM\), which psctl sent")

    def test_a_rank_that_ignores_sigterm_is_killed(self):
        ready = self.path("ready")
        stubborn = f"trap '' TERM; : > {ready}; while :; do sleep 0.05; done"
        failing = f"while [ ! -e {ready} ]; do sleep 0.02; done; exit 5"
        done = self.run_psctl("--grace", "0.3", "-n", "1", "--", "sh", "-c", stubborn, ":",
                              "-n", "1", "sh", "-c", failing)
        self.assertEqual(done.returncode, 5)
        self.assertRegex(done.stderr, r"rank 0 \(pid \d+\) was ended by signal 9 \(SIGKILL\), which psctl sent")

    def test_keep_going(self):
        failed = self.path("failed")
        waiting = f"while [ ! -e {failed} ]; do sleep 0.02; done; echo went on"
        done = self.run_psctl("--keep-going", "-n", "1", "--", "sh", "-c", f": > {failed}; exit 4", ":",
                              "-n", "1", "sh", "-c", waiting)
        self.assertEqual(done.returncode, 4)
        self.assertIn("[1] went on", done.stdout)

    def test_timeout(self):
        done = self.run_psctl("--timeout", "0.3", "-n", "2", "--", "sleep", "1000")
        self.assertEqual(done.returncode, 124)
        self.assertIn("the time limit of 0.3 s has passed and ranks 0, 1 are still running", done.stderr)

    def test_timeout_ends_a_stopped_rank(self):
        done = self.run_psctl("--timeout", "0.3", "--grace", "0.2", "-n", "1", "--", "sh", "-c", "kill -STOP $$")
        self.assertEqual(done.returncode, 124, done.stderr)

    def test_command_not_found(self):
        done = self.run_psctl("-n", "1", "sleep", "1000", ":", "-n", "1", "--", "no-such-command", "x")
        self.assertEqual(done.returncode, 127)
        self.assertRegex(done.stderr, r'rank 1 \(pid \d+\) could not run "no-such-command": No such file or directory')
        plain = self.path("plain")
        open(plain, "w").close()
        done = self.run_psctl("-n", "1", "--", plain)
        self.assertEqual(done.returncode, 126)
        self.assertRegex(done.stderr, r"rank 0 .* could not run .*Permission denied")

    def test_wrong_command_lines(self):
        for arguments, text in (([], "no command"), (["-n", "0", "true"], "0 not in range"),
                                (["-n", "x", "true"], "x"), (["--bogus", "true"], "--bogus"),
                                (["--env", "NOVALUE", "true"], "NAME=VALUE"), (["--timeout", "-1", "true"], "-1"),
                                (["true", ":"], "no command")):
            done = self.run_psctl(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(text, done.stderr, arguments)
        self.assertEqual(self.run_psctl("--help").returncode, 0)

    # Signals.

    def test_signals_are_forwarded(self):
        program = ("import signal, sys\n"
                   "names = ('SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGQUIT', 'SIGINT', 'SIGTERM')\n"
                   "signals = [getattr(signal, name) for name in names]\n"
                   "signal.pthread_sigmask(signal.SIG_BLOCK, signals)\n"
                   "print('ready', flush=True)\n"
                   "while True:\n"
                   "    got = signal.sigwait(signals)\n"
                   "    print(signal.Signals(got).name, flush=True)\n"
                   "    if got == signal.SIGTERM: sys.exit(9)\n")
        process = self.start_psctl("--keep-going", "-n", "2", "--", PYTHON, "-c", program)
        self.assertEqual(self.read_lines(process, 2), ["[0] ready", "[1] ready"])
        for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGQUIT", "SIGINT", "SIGTERM"):
            process.send_signal(getattr(signal, name))
            self.assertEqual(self.read_lines(process, 2), [f"[0] {name}", f"[1] {name}"])
        self.assertEqual(process.wait(LIMIT_S), 9)

    def test_interrupt_reaches_what_a_shell_has_started(self):
        # The grandchild speaks: a shell between fork and exec loses a signal to the child it is making.
        process = self.start_psctl("-n", "1", "--", "sh", "-c", "sh -c 'echo ready; exec sleep 1000'; true")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(LIMIT_S), 128 + signal.SIGINT)

    def test_the_third_interrupt_kills(self):
        program = ("import signal\n"
                   "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
                   "print('ready', flush=True)\n"
                   "while True:\n"
                   "    signal.sigwait([signal.SIGINT]); print('again', flush=True)\n")
        process = self.start_psctl("-n", "1", "--", PYTHON, "-c", program)
        process.stdout.readline()
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.stdout.readline(), "[0] again\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(LIMIT_S), 128 + signal.SIGINT)

    # Nothing is left (tearDown looks for it).

    GRANDCHILD = ("import os, subprocess, sys\n"
                  "subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
                  "subprocess.Popen(['sh', '-c', 'setsid sleep 1000 & exec sleep 1000'])\n")

    def test_grandchildren_in_sessions_of_their_own_end_with_the_run(self):
        done = self.run_psctl("-n", "2", "--", PYTHON, "-c", self.GRANDCHILD)
        self.assertEqual(done.returncode, 0, done.stderr)
        eventually(lambda: processes_with(self.token) == {}, "everything ended")

    def start_deep_tree(self):
        process = self.start_psctl("-n", "3", "--", PYTHON, "-c",
                                   self.GRANDCHILD + "print(os.environ['PS_RENDEZVOUS'], flush=True)\n"
                                   "import signal; signal.pause()\n")
        lines = self.read_lines(process, 3)
        self.meeting_directory = os.path.dirname(lines[0].split("unix://")[1])
        self.assertTrue(os.path.isdir(self.meeting_directory), lines)
        # psctl and its supervisor, and for each rank: itself, and three sleeps.
        eventually(lambda: list(processes_with(self.token).values()).count("sleep 1000 ") == 9, "nine sleeps")
        return process

    def supervisor_of(self, process):
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            return int(file.read().split()[0])

    def test_nothing_is_left_when_psctl_is_killed(self):
        process = self.start_deep_tree()
        process.kill()
        process.wait(LIMIT_S)
        eventually(lambda: processes_with(self.token) == {}, "everything ended")
        self.assertFalse(os.path.exists(self.meeting_directory))

    def test_nothing_is_left_when_its_supervisor_is_killed(self):
        process = self.start_deep_tree()
        os.kill(self.supervisor_of(process), signal.SIGKILL)
        self.assertEqual(process.wait(LIMIT_S), 128 + signal.SIGKILL)
        eventually(lambda: processes_with(self.token) == {}, "everything ended")
        self.assertIn("was ended by signal 9", process.stderr.read())
        self.assertFalse(os.path.exists(self.meeting_directory))

    def test_no_rank_is_left_when_both_are_killed(self):
        process = self.start_psctl("-n", "3", "--", PYTHON, "-c",
                                   "import os, signal; print(os.environ['PS_RENDEZVOUS'], flush=True); signal.pause()")
        self.meeting_directory = os.path.dirname(self.read_lines(process, 3)[0].split("unix://")[1])
        supervisor = self.supervisor_of(process)
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        process.kill()
        process.wait(LIMIT_S)
        eventually(lambda: processes_with(self.token) == {}, "everything ended")
        os.rmdir(self.meeting_directory)


if __name__ == "__main__":
    PSCTL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
