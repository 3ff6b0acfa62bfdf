"""mpirun of Open MPI and of MPICH, side by side on one machine."""

import os
import re
from typing import List

import launching
from launching import LaunchTest, program

SIZE = 4


class Mpi:
    """What holds for both. MPICC, PACKAGE_OF_MPICC, BY and launcher() come from the class that mixes this in."""

    def start(self, command, environment=None, **options):
        # MPICH's mpirun 4.0.2 fails when its standard input ends while its ranks do: it passes the end on to a connection
        # that it has closed. So this one stays open.
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        self.addCleanup(os.close, reader)
        return super().start(command, environment, **{"stdin": reader, **options})

    def test_ranks_find_each_other(self) -> None:
        self.expect_world(self.run_command([*self.launcher(), launching.RANK]), SIZE, self.BY)

    def test_ranks_behind_a_shell_find_each_other(self) -> None:
        self.expect_world(self.run_command([*self.launcher(), "sh", "-c", f"{launching.RANK}; exit $?"]), SIZE, self.BY)

    def test_two_jobs_at_once_do_not_meet(self) -> None:
        jobs = [self.start([*self.launcher(), launching.RANK]) for _ in range(2)]
        for job in jobs:
            self.expect_world(self.finish(job), SIZE, self.BY)

    def compile(self) -> str:
        source = __file__.replace("mpi_test.py", "mpi_rank.c")
        self.run_command([program(self.MPICC, self.PACKAGE_OF_MPICC), "-std=c11", "-Wall", "-Wextra", "-Werror", source,
                          f"-I{launching.INCLUDE}", f"-L{launching.LIBRARY}", "-lparallelstate",
                          f"-Wl,-rpath,{launching.LIBRARY}", "-o", self.path("mpi_rank")])
        return self.path("mpi_rank")

    def expect_both_sums(self, output: str) -> None:
        self.assertEqual(sorted(re.findall("rank=.*", output)),
                         [f"rank={rank} size={SIZE} sum=10 mpi=10" for rank in range(SIZE)], output)

    def test_a_broadcast_carries_the_address_of_a_served_store(self) -> None:
        self.expect_both_sums(self.run_command([*self.launcher(), self.compile()]))

    def test_a_file_carries_the_address_of_a_served_store(self) -> None:
        self.expect_both_sums(self.run_command([*self.launcher(), self.compile(), self.path("url")]))


class OpenMpi(Mpi, LaunchTest):
    MPICC = "mpicc.openmpi"
    PACKAGE_OF_MPICC = "libopenmpi-dev"
    BY = "Open MPI"

    def launcher(self) -> List[str]:
        return [program("mpirun.openmpi", "openmpi-bin"), "--allow-run-as-root", "--oversubscribe", "-n", str(SIZE)]


class Mpich(Mpi, LaunchTest):
    MPICC = "mpicc.mpich"
    PACKAGE_OF_MPICC = "libmpich-dev"
    BY = "PMI"

    def launcher(self) -> List[str]:
        return [program("mpirun.mpich", "mpich"), "-n", str(SIZE)]

    def test_a_port_instead_of_a_descriptor_names_no_rank(self) -> None:
        job = self.start([self.launcher()[0], "-pmi-port", "-n", "1", launching.RANK])
        self.finish(job, code=1)
        for part in ("PMI_ID=0", "PMI_PORT=", "PMI_RANK", "PS_RANK and PS_WORLD_SIZE"):
            self.assertIn(part, job.said)


if __name__ == "__main__":
    launching.main()
