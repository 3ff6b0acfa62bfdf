#include "control/launch_environment.h"

#include <array>
#include <limits>
#include <string_view>

#include "base/environment.h"
#include "base/error.h"
#include "control/launch_pmi.h"

namespace ps {
namespace {

constexpr int64_t kMostRanks = std::numeric_limits<int32_t>::max();
// Slurm's numbers for what is no step of ranks: a batch script, an interactive shell and others.
constexpr int64_t kFirstSpecialStep = 0xfffffff0;
constexpr const char* kSlurm = "Slurm";
constexpr const char* kDecide = "PS_RANK and PS_WORLD_SIZE, or psConfig.rank and psConfig.world_size";

// "NAME=value, NAME=value" of those that are set.
std::string shown(std::initializer_list<const char*> names) {
  std::string text;
  for (const char* name : names) {
    const auto value = environment(name);
    if (value) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, *value);
  }
  return text;
}

struct Pair {
  int32_t rank;
  int32_t size;
};

// Both variables or neither.
std::optional<Pair> read_pair(const char* rank_name, const char* size_name) {
  const auto size = environment_integer(size_name, 1, kMostRanks);
  const auto rank = environment_integer(rank_name, 0, kMostRanks - 1);
  if (!rank && !size) return std::nullopt;
  if (!rank || !size) {
    fail(PS_ERR_ARGUMENT, "the environment has {} but no {}; set both or neither, or decide with {}",
         shown({rank_name, size_name}), rank ? size_name : rank_name, kDecide);
  }
  if (*rank >= *size) {
    fail(PS_ERR_ARGUMENT, "the environment has {}={}, which is not below {}={}; ranks count from 0 to {}", rank_name,
         *rank, size_name, *size, *size - 1);
  }
  return Pair{static_cast<int32_t>(*rank), static_cast<int32_t>(*size)};
}

std::optional<Launcher> read_launcher(const char* name, const char* rank_name, const char* size_name) {
  const auto pair = read_pair(rank_name, size_name);
  if (!pair) return std::nullopt;
  Launcher launcher;
  launcher.name = name;
  launcher.rank = pair->rank;
  launcher.world_size = pair->size;
  launcher.evidence = shown({rank_name, size_name});
  return launcher;
}

// Many scripts set a local rank without a size: then both are measured.
void read_local(Launcher& launcher, const char* rank_name, const char* size_name) {
  if (!environment(rank_name) || !environment(size_name)) return;
  const auto pair = read_pair(rank_name, size_name);
  if (pair->size > launcher.world_size) {
    fail(PS_ERR_ARGUMENT, "the environment has more ranks on this host ({}) than in the world ({})",
         shown({rank_name, size_name}), launcher.evidence);
  }
  launcher.local_rank = pair->rank;
  launcher.local_size = pair->size;
}

std::string identity_of(std::initializer_list<const char*> names) {
  std::string identity;
  for (const char* name : names) {
    const auto value = environment(name);
    if (value) identity += fmt::format("{}={}\n", name, *value);
  }
  return identity;
}

std::optional<Launcher> read_torchrun() {
  auto launcher = read_launcher("torchrun", "RANK", "WORLD_SIZE");
  if (!launcher) return launcher;
  read_local(*launcher, "LOCAL_RANK", "LOCAL_WORLD_SIZE");
  launcher->restart = environment("TORCHELASTIC_RESTART_COUNT").value_or("");
  launcher->identity =
      identity_of({"MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT"});
  if (environment("TORCHELASTIC_RUN_ID")) {
    launcher->agents = static_cast<int32_t>(environment_integer("GROUP_WORLD_SIZE", 1, kMostRanks).value_or(0));
    launcher->nodes = launcher->agents;
  }
  return launcher;
}

std::optional<Launcher> read_open_mpi() {
  auto launcher = read_launcher("Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
  if (!launcher) return launcher;
  read_local(*launcher, "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE");
  launcher->identity =
      identity_of({"OMPI_MCA_ess_base_jobid", "PMIX_NAMESPACE", "OMPI_MCA_orte_precondition_transports"});
  return launcher;
}

std::optional<Launcher> read_pmi() {
  auto launcher = read_launcher("PMI", "PMI_RANK", "PMI_SIZE");
  if (!launcher) return launcher;
  read_local(*launcher, "MPI_LOCALRANKID", "MPI_LOCALNRANKS");
  launcher->identity = identity_of({"PMI_JOBID", "SLURM_JOB_ID", "SLURM_STEP_ID"});
  // It serves the ranks of one host alone.
  if (launcher->local_size == launcher->world_size) launcher->identity += pmi_server();
  return launcher;
}

// "4" and "4(x2)" are four tasks on every node; an uneven "4,3" says nothing about this one.
int32_t tasks_per_node(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('('));
  if (text.find(',') != std::string_view::npos) return 0;
  const auto count = parse_integer(first);
  return count && *count > 0 && *count <= kMostRanks ? static_cast<int32_t>(*count) : 0;
}

std::optional<Launcher> read_slurm() {
  // salloc and sbatch leave some of these in shells that are no ranks; only srun gives a step.
  if (!environment("SLURM_PROCID") || !environment("SLURM_STEP_ID")) return std::nullopt;
  if (parse_integer(*environment("SLURM_STEP_ID")).value_or(0) >= kFirstSpecialStep) return std::nullopt;
  const char* size_name = environment("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
  auto launcher = read_launcher(kSlurm, "SLURM_PROCID", size_name);
  const auto local = environment_integer("SLURM_LOCALID", 0, kMostRanks - 1);
  const int32_t per_node = tasks_per_node(environment("SLURM_STEP_TASKS_PER_NODE").value_or(""));
  if (local && *local < per_node && per_node <= launcher->world_size) {
    launcher->local_rank = static_cast<int32_t>(*local);
    launcher->local_size = per_node;
  }
  launcher->nodes = static_cast<int32_t>(environment_integer("SLURM_STEP_NUM_NODES", 1, kMostRanks).value_or(0));
  launcher->identity = identity_of({"SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT"});
  return launcher;
}

constexpr std::array kReaders = {read_torchrun, read_open_mpi, read_pmi, read_slurm};

// Whether `other` may be what started the agents of `first`, one on each node, which then started the ranks: srun under
// torchrun, mpirun, or in an interactive shell.
bool started_agents(const Launcher& other, const Launcher& first) {
  if (first.agents > 0 && other.world_size == first.agents) return true;
  const bool one_a_node = other.world_size == 1 || other.local_size == 1;
  return other.name == kSlurm && one_a_node && other.world_size < first.world_size;
}

// What a rank of mpirun -pmi-port knows before MPI_Init is not enough.
void refuse_unnumbered_rank() {
  if (!environment("PMI_ID") || !environment("PMI_PORT") || environment("PMI_RANK")) return;
  fail(PS_ERR_ARGUMENT,
       "the environment has {} but no PMI_RANK and PMI_SIZE: mpirun -pmi-port tells ranks and their number in MPI_Init "
       "only; start without -pmi-port, or decide with {}",
       shown({"PMI_ID", "PMI_PORT"}), kDecide);
}

bool contradict(const Launcher& first, const Launcher& other) {
  if (started_agents(other, first)) return false;
  return first.rank != other.rank || first.world_size != other.world_size;
}

}  // namespace

std::optional<Launcher> read_own_variables() {
  auto launcher = read_launcher("PS_*", "PS_RANK", "PS_WORLD_SIZE");
  const auto local = read_pair("PS_LOCAL_RANK", "PS_LOCAL_SIZE");
  if (local && !launcher) {
    fail(PS_ERR_ARGUMENT, "the environment has {} but neither PS_RANK nor PS_WORLD_SIZE; set all four or none",
         shown({"PS_LOCAL_RANK", "PS_LOCAL_SIZE"}));
  }
  if (local) read_local(*launcher, "PS_LOCAL_RANK", "PS_LOCAL_SIZE");
  return launcher;
}

std::vector<Launcher> read_launchers() {
  std::vector<Launcher> found;
  for (const auto read : kReaders) {
    auto launcher = read();
    if (!launcher) continue;
    if (!found.empty() && contradict(found.front(), *launcher)) {
      const Launcher& first = found.front();
      fail(PS_ERR_ARGUMENT,
           "two launchers contradict each other in the environment: {} says rank {} of {} ({}), {} says rank {} of {} "
           "({}); unset the variables of one, or decide with {}",
           first.name, first.rank, first.world_size, first.evidence, launcher->name, launcher->rank,
           launcher->world_size, launcher->evidence, kDecide);
    }
    found.push_back(std::move(*launcher));
  }
  if (found.empty()) refuse_unnumbered_rank();
  return found;
}

std::vector<Launcher> read_launchers_leniently() {
  std::vector<Launcher> found;
  for (const auto read : kReaders) {
    try {
      if (auto launcher = read()) found.push_back(std::move(*launcher));
    } catch (const Error&) {
    }
  }
  return found;
}

}  // namespace ps
