// A socket that is kept from children ends for its peer with its process; any other lives on in a child, and so does
// whatever has taken a number that was kept.
#include "base/fork.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/descriptor.h"

namespace ps {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    here = Descriptor(ends[0]);
    there = Descriptor(ends[1]);
  }
  Descriptor here;
  Descriptor there;
};

// A child as after fork with the library's handler; it has done that when this returns, and lives.
class Child {
 public:
  Child() {
    Pair ready;
    pid_ = ::fork();
    if (pid_ == 0) {
      drop_kept_sockets();
      if (::write(ready.there.get(), "", 1) == 1) ::pause();
      ::_exit(0);
    }
    char byte = 0;
    EXPECT_EQ(::read(ready.here.get(), &byte, 1), 1);
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

bool has_ended(const Descriptor& end) {
  pollfd entry = {end.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLHUP) != 0;
}

TEST(Fork, AChildDoesNotHoldWhatIsKept) {
  Pair kept;
  Pair other;
  keep_from_children(kept.there.get());
  const Child child;
  kept.there.reset();
  other.there.reset();
  EXPECT_TRUE(has_ended(kept.here));
  EXPECT_FALSE(has_ended(other.here));
}

TEST(Fork, ANumberThatStandsForSomethingElseIsLeftAlone) {
  Pair kept;
  Pair other;
  keep_from_children(kept.there.get());
  EXPECT_EQ(::dup2(other.there.get(), kept.there.get()), kept.there.get());
  other.there.reset();
  const Child child;
  kept.there.reset();
  EXPECT_FALSE(has_ended(other.here));
}

}  // namespace
}  // namespace ps
