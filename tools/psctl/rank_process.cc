#include "rank_process.h"

#include <sys/prctl.h>
#include <sys/wait.h>

namespace psctl {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (const std::string& string : strings) list.push_back(const_cast<char*>(string.c_str()));
  list.push_back(nullptr);
  return list;
}

void set_nonblocking(const Descriptor& descriptor) {
  ::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

}  // namespace

RankProcess start_rank(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                       const sigset_t& mask) {
  const Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) fail_errno("cannot open /dev/null");
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Pipe exec_result = make_pipe();  // closed by a successful exec
  const std::vector<char*> arguments = pointers(command);
  std::vector<char*> variables = pointers(environment);
  const pid_t parent = ::getpid();

  const pid_t pid = ::fork();
  if (pid < 0) fail_errno("cannot start another process");
  if (pid == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it died before the line above
    ::dup2(null.get(), STDIN_FILENO);
    ::dup2(out.write.get(), STDOUT_FILENO);
    ::dup2(err.write.get(), STDERR_FILENO);
    for (const int signal : {SIGPIPE, SIGTTOU, SIGCHLD}) ::signal(signal, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    environ = variables.data();
    ::execvp(arguments[0], arguments.data());
    const int error = errno;
    [[maybe_unused]] const ssize_t ignored = ::write(exec_result.write.get(), &error, sizeof error);
    ::_exit(error == ENOENT ? 127 : 126);
  }

  ::setpgid(pid, pid);  // here too, so that the group exists whoever comes first
  exec_result.write.reset();
  RankProcess process;
  process.pid = pid;
  ssize_t count;
  do {
    count = ::read(exec_result.read.get(), &process.exec_errno, sizeof process.exec_errno);
  } while (count < 0 && errno == EINTR);
  set_nonblocking(out.read);
  set_nonblocking(err.read);
  process.out = std::move(out.read);
  process.err = std::move(err.read);
  return process;
}

}  // namespace psctl
