// Who a rank is and where it meets, for each launcher and each way in which the variables can be wrong.
#include "control/launch.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/environment.h"
#include "base/error.h"

namespace ps {
namespace {

using Variables = std::map<std::string, std::string>;

// Starts from an environment without any launcher and puts back what there was.
class LaunchTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::string> prefixes = {"PS_",  "OMPI_",  "PMI_",   "PMIX_",  "SLURM_", "TORCHELASTIC_",
                                               "RANK", "WORLD_", "LOCAL_", "GROUP_", "MASTER_", "MPI_", "XDG_RUNTIME"};
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      const std::string name = text.substr(0, text.find('='));
      for (const auto& prefix : prefixes) {
        if (name.starts_with(prefix)) before_[name] = text.substr(name.size() + 1);
      }
    }
    for (const auto& [name, value] : before_) ::unsetenv(name.c_str());
    std::string pattern = testing::TempDir() + "launch_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    set("XDG_RUNTIME_DIR", directory_);
  }

  void TearDown() override {
    clear();
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
    std::filesystem::remove_all(directory_);
  }

  void set(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    names_.push_back(name);
  }

  void clear() {
    for (const auto& name : names_) ::unsetenv(name.c_str());
    names_.clear();
  }

  // What a rank with exactly these variables finds.
  LaunchSettings with(const Variables& variables, const psConfig& config = psConfig PS_CONFIG_INIT) {
    clear();
    set("XDG_RUNTIME_DIR", directory_);
    for (const auto& [name, value] : variables) set(name, value);
    return resolve_launch(config);
  }

  std::string refusal(const Variables& variables, const psConfig& config = psConfig PS_CONFIG_INIT,
                      psResult code = PS_ERR_ARGUMENT) {
    try {
      with(variables, config);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.text();
      return error.text();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  std::string directory_;

 private:
  Variables before_;
  std::vector<std::string> names_;
};

psConfig config_of(int32_t rank, int32_t world_size, const char* rendezvous = nullptr) {
  psConfig config = PS_CONFIG_INIT;
  config.rank = rank;
  config.world_size = world_size;
  config.rendezvous = rendezvous;
  return config;
}

Variables torchrun(int rank, int size, int local_rank, int local_size) {
  return {{"RANK", std::to_string(rank)},
          {"WORLD_SIZE", std::to_string(size)},
          {"LOCAL_RANK", std::to_string(local_rank)},
          {"LOCAL_WORLD_SIZE", std::to_string(local_size)},
          {"GROUP_RANK", std::to_string(rank / local_size)},
          {"GROUP_WORLD_SIZE", std::to_string(size / local_size)},
          {"TORCHELASTIC_RUN_ID", "run7"},
          {"TORCHELASTIC_RESTART_COUNT", "0"},
          {"MASTER_ADDR", "node0"},
          {"MASTER_PORT", "29500"}};
}

Variables operator+(Variables left, const Variables& right) {
  for (const auto& [name, value] : right) left[name] = value;
  return left;
}

void expect_names(const std::string& text, const std::vector<std::string>& parts) {
  for (const auto& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
}

TEST_F(LaunchTest, AloneWithDefaults) {
  const LaunchSettings settings = with({});
  EXPECT_EQ(settings.source, "alone");
  EXPECT_EQ(settings.rank, 0);
  EXPECT_EQ(settings.world_size, 1);
  EXPECT_EQ(settings.local_size, 0);
  EXPECT_EQ(settings.rendezvous, "");
  EXPECT_EQ(settings.job, "default");
  EXPECT_EQ(settings.backend, "auto");
  EXPECT_EQ(settings.timeout_ms, 1'800'000);
  EXPECT_EQ(settings.init_timeout_ms, 300'000);
  EXPECT_EQ(settings.max_object_bytes, uint64_t{1} << 30);
  EXPECT_EQ(settings.host_buffer_bytes, uint64_t{4} << 20);
  EXPECT_EQ(settings.log_level, PS_LOG_ERROR);
}

TEST_F(LaunchTest, EachLauncherIsRead) {
  struct Case {
    const char* source;
    Variables variables;
  };
  const std::vector<Case> cases = {
      {"PS_*",
       {{"PS_RANK", "1"}, {"PS_WORLD_SIZE", "2"}, {"PS_LOCAL_RANK", "1"}, {"PS_LOCAL_SIZE", "2"}, {"PS_JOB", "j"}}},
      {"torchrun", torchrun(1, 2, 1, 2)},
      {"Open MPI",
       {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
        {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}, {"OMPI_MCA_ess_base_jobid", "77"}}},
      {"PMI",
       {{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}, {"PMI_JOBID", "5"}}},
      {"Slurm",
       {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_LOCALID", "1"}, {"SLURM_STEP_TASKS_PER_NODE", "2"},
        {"SLURM_JOB_ID", "9"}, {"SLURM_STEP_ID", "0"}}},
  };
  for (const Case& entry : cases) {
    SCOPED_TRACE(entry.source);
    const LaunchSettings settings = with(entry.variables);
    EXPECT_EQ(settings.source, entry.source);
    EXPECT_EQ(settings.rank, 1);
    EXPECT_EQ(settings.world_size, 2);
    EXPECT_EQ(settings.local_rank, 1);
    EXPECT_EQ(settings.local_size, 2);
    EXPECT_TRUE(settings.rendezvous.starts_with("unix://" + directory_ + "/parallelstate/")) << settings.rendezvous;
  }
}

TEST_F(LaunchTest, SlurmOutsideOfAStepIsNoLauncher) {
  const LaunchSettings settings = with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_JOB_ID", "9"}});
  EXPECT_EQ(settings.source, "alone");
}

TEST_F(LaunchTest, ConfigDecidesBeforePsVariablesBeforeLaunchers) {
  const Variables own = {{"PS_RANK", "1"}, {"PS_WORLD_SIZE", "4"}, {"PS_RENDEZVOUS", "tcp://127.0.0.1:1"}};
  EXPECT_EQ(with(own + torchrun(2, 8, 0, 8)).rank, 1);
  EXPECT_EQ(with(own + Variables{{"RANK", "x"}}).source, "PS_*");

  const LaunchSettings settings = with(own + torchrun(2, 8, 0, 8), config_of(3, 5, "tcp://127.0.0.1:2"));
  EXPECT_EQ(settings.source, "psConfig");
  EXPECT_EQ(settings.rank, 3);
  EXPECT_EQ(settings.world_size, 5);
  EXPECT_EQ(settings.local_size, 0) << "the variables speak of another world";
  EXPECT_EQ(settings.rendezvous, "tcp://127.0.0.1:2");
}

TEST_F(LaunchTest, LaunchersThatContradictAreNamedWithTheirValues) {
  const Variables mpi = {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "4"}};
  const std::string text = refusal(torchrun(1, 2, 1, 2) + mpi);
  expect_names(text, {"torchrun", "RANK=1", "WORLD_SIZE=2", "Open MPI", "OMPI_COMM_WORLD_RANK=0",
                      "OMPI_COMM_WORLD_SIZE=4", "PS_RANK", "psConfig.rank"});
  EXPECT_EQ(with(torchrun(0, 4, 0, 4) + mpi).source, "torchrun") << "two that agree are no contradiction";
}

TEST_F(LaunchTest, SlurmThatStartedTorchrunsAgentsDoesNotContradict) {
  const Variables slurm = {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_STEP_ID", "0"}};
  const LaunchSettings settings = with(torchrun(5, 8, 1, 4) + slurm);
  EXPECT_EQ(settings.source, "torchrun");
  EXPECT_EQ(settings.rank, 5);
}

TEST_F(LaunchTest, WrongVariablesAreNamedWithTheirValues) {
  expect_names(refusal({{"RANK", "2"}}), {"RANK=2", "WORLD_SIZE"});
  expect_names(refusal({{"PS_WORLD_SIZE", "2"}}), {"PS_WORLD_SIZE=2", "PS_RANK"});
  expect_names(refusal({{"RANK", "4"}, {"WORLD_SIZE", "4"}}), {"RANK=4", "WORLD_SIZE=4"});
  expect_names(refusal({{"RANK", "one"}, {"WORLD_SIZE", "4"}}), {"RANK", "one"});
  expect_names(refusal({{"RANK", "-1"}, {"WORLD_SIZE", "4"}}), {"RANK", "-1"});
  expect_names(refusal({{"PS_LOCAL_RANK", "0"}, {"PS_LOCAL_SIZE", "1"}}), {"PS_LOCAL_RANK=0", "PS_RANK"});
  expect_names(refusal({{"PS_RANK", "0"}, {"PS_WORLD_SIZE", "2"}, {"PS_LOCAL_RANK", "0"}}),
               {"PS_LOCAL_RANK=0", "PS_LOCAL_SIZE"});
  expect_names(refusal(torchrun(0, 2, 0, 2) + Variables{{"LOCAL_WORLD_SIZE", "3"}}),
               {"LOCAL_WORLD_SIZE=3", "WORLD_SIZE=2"});
  expect_names(refusal({{"PS_TIMEOUT_MS", "soon"}}), {"PS_TIMEOUT_MS", "soon"});
  expect_names(refusal({{"PS_LOG_LEVEL", "loud"}}), {"PS_LOG_LEVEL", "loud", "debug"});
  expect_names(refusal({{"PS_ALLOW_UNAUTHENTICATED", "yes"}}), {"PS_ALLOW_UNAUTHENTICATED", "yes"});
}

TEST_F(LaunchTest, WhatIsMissingIsToldWithWhatWouldWork) {
  expect_names(refusal({{"PMI_RANK", "1"}}), {"PMI_RANK=1", "no PMI_SIZE", "PS_RANK and PS_WORLD_SIZE"});
  expect_names(refusal({{"PMI_ID", "1"}, {"PMI_PORT", "h:5"}}),
               {"PMI_ID=1", "PMI_PORT=h:5", "no PMI_RANK", "without -pmi-port", "PS_RANK and PS_WORLD_SIZE"});
  expect_names(refusal({{"OMPI_COMM_WORLD_SIZE", "4"}}),
               {"OMPI_COMM_WORLD_SIZE=4", "no OMPI_COMM_WORLD_RANK", "psConfig.rank"});
  expect_names(refusal({{"SLURM_PROCID", "1"}, {"SLURM_STEP_ID", "0"}}), {"SLURM_PROCID=1", "no SLURM_NTASKS"});
  expect_names(refusal({{"WORLD_SIZE", "4"}}), {"WORLD_SIZE=4", "no RANK", "PS_RANK and PS_WORLD_SIZE"});
  expect_names(refusal({{"RANK", ""}, {"WORLD_SIZE", "4"}}), {"WORLD_SIZE=4", "no RANK"});
  expect_names(refusal({{"RANK", "4"}, {"WORLD_SIZE", "4"}}), {"from 0 to 3"});
  expect_names(refusal({{"WORLD_SIZE", "0"}, {"RANK", "0"}}), {"WORLD_SIZE", "\"0\"", "from 1"});
  expect_names(refusal({{"WORLD_SIZE", "2"}, {"RANK", "0x1"}}), {"RANK", "\"0x1\""});
  expect_names(refusal({{"PS_RENDEZVOUS", "tcp://h:5"}}),
               {"PS_RENDEZVOUS=tcp://h:5", "PS_RANK and PS_WORLD_SIZE", "unset PS_RENDEZVOUS"});
  expect_names(refusal({{"PS_LISTEN_FD", "5"}}), {"PS_LISTEN_FD=5", "PS_RANK and PS_WORLD_SIZE"});
  expect_names(refusal(torchrun(0, 4, 0, 4) + Variables{{"LOCAL_RANK", "4"}}), {"LOCAL_RANK=4", "LOCAL_WORLD_SIZE=4"});
  Variables nodes = torchrun(5, 8, 1, 4);
  nodes.erase("MASTER_ADDR");
  expect_names(refusal(nodes), {"torchrun says 2", "MASTER_ADDR", "PS_RENDEZVOUS=tcp://HOST:PORT"});
  nodes = torchrun(5, 8, 1, 4);
  nodes.erase("MASTER_PORT");
  expect_names(refusal(nodes), {"MASTER_ADDR=node0", "PS_MASTER_PORT"});
}

TEST_F(LaunchTest, EmptyCountsAsUnset) {
  EXPECT_EQ(with({{"RANK", ""}, {"WORLD_SIZE", ""}, {"PS_RENDEZVOUS", ""}, {"PS_SECRET", ""}}).source, "alone");
}

TEST_F(LaunchTest, TheFirstOfTwoThatAgreeIsNamed) {
  const Variables slurm = {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_STEP_ID", "0"}, {"SLURM_JOB_ID", "3"}};
  const Variables mpi = {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"PMIX_NAMESPACE", "n"}};
  EXPECT_EQ(with(mpi + slurm).source, "Open MPI");
  expect_names(refusal(mpi + slurm + Variables{{"SLURM_PROCID", "0"}}),
               {"OMPI_COMM_WORLD_RANK=1", "SLURM_PROCID=0", "SLURM_NTASKS=2"});
}

TEST_F(LaunchTest, SlurmThatStartedTheLauncherDoesNotContradict) {
  const Variables mpi = {{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_NAMESPACE", "n"}};
  const Variables shell = {{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}, {"SLURM_STEP_ID", "0"}};
  EXPECT_EQ(with(mpi + shell).source, "Open MPI") << "srun --pty, then mpirun";
  const Variables daemons = {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_STEP_ID", "1"},
                             {"SLURM_LOCALID", "0"}, {"SLURM_STEP_TASKS_PER_NODE", "1(x2)"}};
  EXPECT_EQ(with(mpi + daemons).source, "Open MPI") << "mpirun starts its daemons by srun, one a node";
  EXPECT_EQ(with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_STEP_ID", "4294967290"}}).source, "alone")
      << "an interactive step";
}

TEST_F(LaunchTest, HydraIsKnownByItsSocket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Variables pmi = {{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}};
  expect_names(refusal(pmi), {"rank 1 of 2", "PMI", "PS_JOB"});
  expect_names(refusal(pmi + Variables{{"PMI_FD", "99999"}}), {"PS_JOB"});
  const std::string place = with(pmi + Variables{{"PMI_FD", std::to_string(ends[0])}}).rendezvous;
  EXPECT_EQ(with(pmi + Variables{{"PMI_RANK", "0"}, {"PMI_FD", std::to_string(ends[1])}}).rendezvous, place);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LaunchTest, WrongConfigIsNamedWithItsValues) {
  expect_names(refusal({}, config_of(3, 3)), {"psConfig.rank", "3"});
  expect_names(refusal({}, config_of(-1, 3)), {"psConfig.rank", "-1"});
  expect_names(refusal({}, config_of(2, 0)), {"psConfig.rank", "2", "world_size"});
  expect_names(refusal({}, config_of(0, -2)), {"psConfig.world_size", "-2"});
  psConfig config = config_of(0, 2, "mem://x");
  config.local_rank = 2;
  config.local_size = 2;
  expect_names(refusal({}, config), {"psConfig.local_rank", "2"});
  config = config_of(0, 2, "mem://x");
  config.replica = 1;
  expect_names(refusal({}, config), {"psConfig.replica", "1"});
  config = config_of(0, 2'000'000, "mem://x");
  config.replica_count = 2'000;
  expect_names(refusal({}, config), {"2000 replicas", "32-bit"});
  config = config_of(0, 1);
  config.log_level = 99;
  expect_names(refusal({}, config), {"psConfig.log_level", "99"});
  config = config_of(0, 1);
  config.check_mode = -1;
  expect_names(refusal({}, config), {"psConfig.check_mode", "-1"});
}

TEST_F(LaunchTest, ReplicasFoldIntoOneWorld) {
  psConfig config = config_of(1, 4, "tcp://127.0.0.1:9");
  config.replica = 2;
  config.replica_count = 3;
  const LaunchSettings settings = with({}, config);
  EXPECT_EQ(settings.rank, 9);
  EXPECT_EQ(settings.world_size, 12);
  EXPECT_EQ(settings.replica, 2);
  EXPECT_EQ(settings.replica_count, 3);

  config = PS_CONFIG_INIT;
  config.replica = 1;
  config.replica_count = 2;
  expect_names(refusal(torchrun(0, 2, 0, 2), config), {"PS_RENDEZVOUS"});
}

TEST_F(LaunchTest, NoEnvironmentMeansNone) {
  psConfig config = config_of(0, 1);
  config.flags = PS_NO_ENVIRONMENT;
  const LaunchSettings settings = with(torchrun(1, 2, 1, 2) + Variables{{"PS_SECRET", "s"},
                                                                       {"PS_JOB", "j"},
                                                                       {"PS_LOG_LEVEL", "loud"},
                                                                       {"PS_TIMEOUT_MS", "x"},
                                                                       {"PS_ALLOW_UNAUTHENTICATED", "1"}},
                                       config);
  EXPECT_EQ(settings.secret, "");
  EXPECT_EQ(settings.job, "default");
  EXPECT_EQ(settings.flags, static_cast<uint32_t>(PS_NO_ENVIRONMENT));
  config.world_size = 2;
  expect_names(refusal({{"PS_RENDEZVOUS", "tcp://127.0.0.1:1"}}, config), {"psConfig.rendezvous", "PS_NO_ENVIRONMENT"});
}

TEST_F(LaunchTest, HowLongAWaitStaysOnItsCpu) {
  EXPECT_EQ(with({}).spin_us, 40);
  EXPECT_EQ(with({{"PS_SPIN_US", "0"}}).spin_us, 0);
  EXPECT_EQ(with({{"PS_SPIN_US", "1000000"}}).spin_us, 1'000'000);
  for (const char* wrong : {"-1", "1000001", "fast", "4.5", "5us", "99999999999999999999"}) {
    expect_names(refusal({{"PS_SPIN_US", wrong}}), {std::string("PS_SPIN_US=\"") + wrong, "from 0 to 1000000"});
  }
  psConfig config = config_of(0, 1);
  config.flags = PS_NO_ENVIRONMENT;
  EXPECT_EQ(with({{"PS_SPIN_US", "fast"}}, config).spin_us, 40);
}

TEST_F(LaunchTest, MeetingPlaceIsGivenBeforeItIsDerived) {
  const Variables own = {{"PS_RANK", "0"}, {"PS_WORLD_SIZE", "2"}};
  const Variables other = {{"PS_RANK", "1"}, {"PS_WORLD_SIZE", "2"}};
  const Variables given = {{"PS_RENDEZVOUS", "tcp://127.0.0.1:4"}};
  const Variables listening = {{"PS_LISTEN_FD", "7"}};
  psConfig config = PS_CONFIG_INIT;
  config.rendezvous = "file:///tmp/x";
  EXPECT_EQ(with(own + given + listening, config).rendezvous, "file:///tmp/x");
  EXPECT_EQ(with(own + given).rendezvous, "tcp://127.0.0.1:4");
  EXPECT_EQ(with(own + given + listening).rendezvous, "fd://7");
  EXPECT_EQ(with(other + given + listening).rendezvous, "tcp://127.0.0.1:4");
  expect_names(refusal(other + listening), {"PS_LISTEN_FD=7", "rank 1", "PS_RENDEZVOUS"});
}

TEST_F(LaunchTest, AWorldOfAnotherSizeDoesNotMeetAtItsLaunchersPlace) {
  const Variables own = {{"PS_RANK", "3"}, {"PS_WORLD_SIZE", "4"}, {"PS_RENDEZVOUS", "unix:///tmp/a"}};
  EXPECT_EQ(with(own, config_of(0, 1)).rendezvous, "");
  expect_names(refusal(own, config_of(0, 2)), {"2 ranks", "PS_RENDEZVOUS", "4", "psConfig.rendezvous"});
  expect_names(refusal(torchrun(3, 4, 3, 4), config_of(0, 2)), {"psConfig.rendezvous"});
}

TEST_F(LaunchTest, AWorldWithoutAPlaceIsToldWhatToSet) {
  expect_names(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}}), {"torchrun", "psctl run", "PS_RENDEZVOUS", "PS_JOB"});
  expect_names(refusal({}, config_of(1, 2)), {"psConfig.rendezvous", "rank 1 of 2"});
}

TEST_F(LaunchTest, RanksOfAJobMeetAndOtherJobsDoNot) {
  const std::string place = with(torchrun(0, 2, 0, 2)).rendezvous;
  EXPECT_EQ(with(torchrun(1, 2, 1, 2)).rendezvous, place);
  for (const Variables& change : {Variables{{"MASTER_PORT", "29501"}}, Variables{{"TORCHELASTIC_RUN_ID", "run8"}},
                                  Variables{{"TORCHELASTIC_RESTART_COUNT", "1"}}, Variables{{"PS_JOB", "other"}}}) {
    EXPECT_NE(with(torchrun(0, 2, 0, 2) + change).rendezvous, place) << change.begin()->first;
  }
  EXPECT_EQ(with(torchrun(0, 2, 0, 2)).job, "default/restart-0");
  EXPECT_EQ(with(torchrun(0, 2, 0, 2) + Variables{{"TORCHELASTIC_RESTART_COUNT", "3"}, {"PS_JOB", "j"}}).job,
            "j/restart-3");
}

TEST_F(LaunchTest, TheMeetingDirectoryIsThisUsersAlone) {
  with(torchrun(0, 2, 0, 2));
  const std::string directory = directory_ + "/parallelstate";
  struct stat status;
  ASSERT_EQ(::stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  expect_names(refusal(torchrun(0, 2, 0, 2)), {directory, "open to other users", "PS_RENDEZVOUS"});
  std::filesystem::remove(directory);
  std::ofstream(directory) << "a file";
  expect_names(refusal(torchrun(0, 2, 0, 2)), {directory, "not a directory"});
}

TEST_F(LaunchTest, WithoutARuntimeDirectoryRanksMeetUnderTmp) {
  const Variables elsewhere = {{"XDG_RUNTIME_DIR", directory_ + "/missing"}};
  const std::string directory = "unix:///tmp/parallelstate-" + std::to_string(::geteuid()) + "/";
  EXPECT_TRUE(with(torchrun(0, 2, 0, 2) + elsewhere).rendezvous.starts_with(directory));
}

TEST_F(LaunchTest, SeveralNodesMeetBesideMasterPortNeverOnIt) {
  EXPECT_EQ(with(torchrun(5, 8, 1, 4)).rendezvous, "tcp://node0:29501");
  EXPECT_EQ(with(torchrun(5, 8, 1, 4)).job, "default") << "the nodes' restart counts may differ";
  EXPECT_EQ(with(torchrun(5, 8, 1, 4) + Variables{{"PS_MASTER_PORT", "4000"}}).rendezvous, "tcp://node0:4000");
  EXPECT_EQ(with(torchrun(5, 8, 1, 4) + Variables{{"MASTER_ADDR", "fe80::1"}}).rendezvous, "tcp://[fe80::1]:29501");
  expect_names(refusal(torchrun(5, 8, 1, 4) + Variables{{"PS_MASTER_PORT", "29500"}}),
               {"PS_MASTER_PORT=29500", "belongs to torch"});
  expect_names(refusal(torchrun(5, 8, 1, 4) + Variables{{"MASTER_PORT", "65535"}}), {"65535", "PS_MASTER_PORT"});
  const Variables slurm = {{"SLURM_PROCID", "1"},   {"SLURM_NTASKS", "2"}, {"SLURM_STEP_NUM_NODES", "2"},
                           {"SLURM_STEP_ID", "0"}, {"SLURM_JOB_ID", "1"}};
  expect_names(refusal(slurm), {"Slurm says 2", "MASTER_ADDR", "PS_RENDEZVOUS"});
  EXPECT_EQ(with(slurm + Variables{{"MASTER_ADDR", "h"}, {"PS_MASTER_PORT", "5"}}).rendezvous, "tcp://h:5");
}

TEST_F(LaunchTest, OptionsComeFromConfigThenTheEnvironment) {
  const Variables variables = {{"PS_JOB", "j"},          {"PS_SECRET", "s"},           {"PS_NETWORK", "lo"},
                               {"PS_HOST_ID", "h"},      {"PS_BACKEND", "shm"},        {"PS_TIMEOUT_MS", "5"},
                               {"PS_INIT_TIMEOUT_MS", "6"}, {"PS_LOG_LEVEL", "debug"}, {"PS_HOST_BUFFER_BYTES", "7"},
                               {"PS_MAX_OBJECT_BYTES", "8"}, {"PS_ALLOW_UNAUTHENTICATED", "1"}};
  LaunchSettings settings = with(variables);
  EXPECT_EQ(settings.job, "j");
  EXPECT_EQ(settings.secret, "s");
  EXPECT_EQ(settings.network, "lo");
  EXPECT_EQ(settings.host_id, "h");
  EXPECT_EQ(settings.backend, "shm");
  EXPECT_EQ(settings.timeout_ms, 5);
  EXPECT_EQ(settings.init_timeout_ms, 6);
  EXPECT_EQ(settings.log_level, PS_LOG_DEBUG);
  EXPECT_EQ(settings.host_buffer_bytes, 7u);
  EXPECT_EQ(settings.max_object_bytes, 8u);
  EXPECT_EQ(settings.flags, static_cast<uint32_t>(PS_ALLOW_UNAUTHENTICATED));

  psConfig config = PS_CONFIG_INIT;
  config.job = "k";
  config.secret = "t";
  config.backend = "auto";
  config.timeout_ms = 50;
  config.log_level = PS_LOG_OFF;
  config.host_buffer_bytes = 70;
  settings = with(variables, config);
  EXPECT_EQ(settings.job, "k");
  EXPECT_EQ(settings.secret, "t");
  EXPECT_EQ(settings.backend, "auto");
  EXPECT_EQ(settings.timeout_ms, 50);
  EXPECT_EQ(settings.log_level, PS_LOG_OFF);
  EXPECT_EQ(settings.host_buffer_bytes, 70u);

  config = PS_CONFIG_INIT;
  config.timeout_ms = -1;
  EXPECT_EQ(with(variables, config).timeout_ms, 5);
}

TEST_F(LaunchTest, SecretFilesAreReadWhenPrivate) {
  const std::string path = directory_ + "/secret";
  std::ofstream(path) << "correct horse\n";
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(with({{"PS_SECRET_FILE", path}}).secret, "correct horse");
  EXPECT_EQ(with({{"PS_SECRET_FILE", path}, {"PS_SECRET", "s"}}).secret, "s");

  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  expect_names(refusal({{"PS_SECRET_FILE", path}}), {path, "0640", "chmod 600"});
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  std::ofstream(path, std::ios::trunc) << "\n";
  expect_names(refusal({{"PS_SECRET_FILE", path}}), {path, "empty"});
  std::ofstream(path, std::ios::trunc) << std::string(5000, 'x');
  expect_names(refusal({{"PS_SECRET_FILE", path}}), {path, "longer"});

  expect_names(refusal({{"PS_SECRET_FILE", directory_ + "/none"}}), {"/none", "No such file"});
  expect_names(refusal({{"PS_SECRET_FILE", directory_}}), {directory_, "not a regular file"});
  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_names(refusal({{"PS_SECRET_FILE", pipe}}), {pipe, "not a regular file"});
}

TEST_F(LaunchTest, WhatThisBuildLacksIsUnsupportedWithTheReason) {
  const auto unsupported = [&](auto field, const char* value) {
    psConfig config = config_of(0, 1);
    config.*field = value;
    return refusal({}, config, PS_ERR_UNSUPPORTED);
  };
  expect_names(unsupported(&psConfig::device, "cuda:1"), {"psConfig.device", "cuda:1", "host memory only"});
  expect_names(unsupported(&psConfig::backend, "shm,nccl"), {"psConfig.backend", "nccl", "shm"});
  expect_names(unsupported(&psConfig::plugins, "/p.so"), {"psConfig.plugins", "/p.so", "reserved", "PS_PLUGIN_PATH"});
  expect_names(unsupported(&psConfig::nccl_library, "/n.so"), {"psConfig.nccl_library", "/n.so"});
  expect_names(unsupported(&psConfig::backend, "shm,gloo"), {"psConfig.backend", "two backends", "shm", "gloo", "auto"});
  expect_names(refusal({{"PS_BACKEND", "pigeon"}}, psConfig PS_CONFIG_INIT, PS_ERR_UNSUPPORTED), {"PS_BACKEND", "pigeon"});
  EXPECT_EQ(with({{"PS_BACKEND", "gloo"}}, config_of(0, 1)).backend, "gloo");
  psConfig config = config_of(0, 1);
  config.device = "cpu";
  config.backend = "shm";
  EXPECT_EQ(with({}, config).backend, "shm");
}

}  // namespace
}  // namespace ps
