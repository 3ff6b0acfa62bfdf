// What killed tests leave is removed by the next one, and what living ones use is not.
#include "../../scratch_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

namespace {

using ps_test::ScratchFolder;

void make_old(const std::string& folder) {
  const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder + ".lock").c_str(), times, 0), 0);
}

// The folder of a process that was killed.
std::string folder_of_the_killed() {
  int ends[2];
  if (::pipe(ends) != 0) return "";
  const pid_t child = ::fork();
  if (child == 0) {
    const ScratchFolder folder("killed");
    const ssize_t wrote = ::write(ends[1], folder.path().c_str(), folder.path().size());
    ::raise(wrote > 0 ? SIGKILL : SIGABRT);
  }
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  char path[256] = {};
  const ssize_t got = ::read(ends[0], path, sizeof path - 1);
  ::close(ends[0]);
  return got > 0 ? path : "";
}

TEST(ScratchFolder, GoesWithItsTest) {
  std::string path;
  {
    const ScratchFolder folder("mine");
    path = folder.path();
    EXPECT_TRUE(std::filesystem::is_directory(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ScratchFolder, ThatOfAKilledTestGoesLater) {
  const ScratchFolder mine("mine");
  const std::string stale = folder_of_the_killed();
  ASSERT_TRUE(std::filesystem::is_directory(stale));
  ScratchFolder::remove_stale();
  EXPECT_TRUE(std::filesystem::exists(stale)) << "it is young: its maker may be about to lock it";
  make_old(stale);
  make_old(mine.path());
  ScratchFolder::remove_stale();
  // Another program's test may be at it; the lock's file goes last.
  for (int i = 0; i < 3000 && std::filesystem::exists(stale + ".lock"); ++i) ::usleep(10'000);
  EXPECT_FALSE(std::filesystem::exists(stale));
  EXPECT_FALSE(std::filesystem::exists(stale + ".lock"));
  EXPECT_TRUE(std::filesystem::exists(mine.path()));
}

}  // namespace
