// Worlds for tests: a body runs on every rank, with threads of this process or with processes as ranks. Processes are
// this program again, with a hidden argument that names the body. A world has a deadline; the first rank that fails
// ends the others, and nothing outlives the test.
#pragma once

#include <parallelstate.h>

#include <chrono>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ps_test {

// Under a sanitizer tests take a part of their cases.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitized = true;
#else
inline constexpr bool kThreadSanitized = false;
#endif

inline constexpr std::chrono::seconds kDeadline{kSanitized ? 150 : 100};

// `scripts/test --full` takes all cases.
bool is_full();
// Every how manieth case: normally, and under a sanitizer.
size_t stride_of(size_t normal, size_t sanitized);
// Of a world that runs so many.
std::chrono::seconds sweep_deadline();

// One rank, as a body sees it.
struct Member {
  psContext context = nullptr;
  psGroup world = nullptr;
  int rank = 0;
  int size = 0;
  std::string argument;
  std::string rendezvous;  // to make names of further worlds from
};

using BodyFunction = void (*)(Member&);

// Bodies are found by name in the processes that they run in, so each is an object with static storage.
class Body {
 public:
  Body(const char* name, BodyFunction function);
  const std::string& name() const { return name_; }
  void run(Member& member) const { function_(member); }

 private:
  std::string name_;
  BodyFunction function_;
};

enum class Ranks { kThreads, kProcesses };

inline const char* describe(Ranks ranks) { return ranks == Ranks::kThreads ? "threads" : "processes"; }

// Runs `body` on `size` ranks. What goes wrong on a rank, and a deadline that passes, are failures of the test.
void run_world(const Body& body, Ranks ranks, int size, const std::string& argument = "",
               std::chrono::seconds deadline = kDeadline);

// The hidden side of Ranks::kProcesses: true when the arguments are those of a rank; `status` is then its exit status.
bool run_rank(int argc, char** argv, int* status);

// Joins a world as every test does: nothing from the environment, host memory, a deadline of its own. `rules`: of dispatch.
psContext join(const std::string& rendezvous, int rank, int size, const char* rules = nullptr);

// What psDescribe says.
std::string described(psContext context);

// A rendezvous for ranks of this process that no other test uses.
std::string unique_rendezvous();

// What a body throws when it finds something wrong.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool holds, std::string_view what, std::source_location where = std::source_location::current());
void require_ok(psResult result, std::source_location where = std::source_location::current());
// `text` must be part of psLastError.
void require_error(psResult result, psResult expected, std::string_view text = "",
                   std::source_location where = std::source_location::current());

}  // namespace ps_test
