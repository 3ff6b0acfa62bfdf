// Who has connected to a listening pair and has not said its word yet, which only members of the job can read. Anybody may
// connect there, and Gloo believes what it reads: its checks end the process. So it gets a connection when the word has
// come, and until then the pair goes on listening.
#pragma once

#include <gloo/transport/tcp/device.h>

#include <array>
#include <vector>

namespace ps::gloo_transport {

using Word = std::array<char, 16>;

class Callers {
 public:
  // `handler` is called when one of them says something.
  Callers(gloo::transport::tcp::Device& device, gloo::transport::tcp::Handler& handler);

  const Word& word() const { return word_; }
  // Lets in who waits at the listening descriptor, and hears what they say. The descriptor of one that has said the word,
  // still registered for what it says next; then the others are gone. -1: none yet.
  int meet(int listener);
  void send_away();

 private:
  struct Caller {
    int descriptor;
    Word said{};
    size_t size = 0;
  };
  enum class Heard { kNotAll, kWord, kOther };
  Heard hear(Caller& caller) const;
  void let_in(int listener);
  void send_away(const Caller& caller);

  gloo::transport::tcp::Device& device_;
  gloo::transport::tcp::Handler& handler_;
  Word word_;
  std::vector<Caller> callers_;  // in their order
};

}  // namespace ps::gloo_transport
