// Hands one piece of shared memory from the first member on a host to the others: a memfd over an abstract UNIX socket
// between processes, a pointer within a process. What arrived is, by definition, the same host.
//
// Every member makes an Offer before ranks agree on anything else and puts its text into the agreement; afterwards the
// giver gives and the takers take. An abstract socket has no file, and is seen within one network namespace alone; the
// peer's user id is checked, and a token that only the agreed members know.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "control/shared_memory.h"
#include "control/store/store.h"

namespace ps {

class Offer {
 public:
  explicit Offer(bool in_process);
  ~Offer();
  Offer(const Offer&) = delete;
  Offer& operator=(const Offer&) = delete;

  // Where to take from this member: printable, unguessable.
  const std::string& ticket() const { return ticket_; }

  // Gives `memory` to `takers` members. Errors: TIMEOUT says how many did not come; what `check` throws.
  void give(const std::shared_ptr<SharedMemory>& memory, int takers, Deadline deadline, const StopCheck& check);

  // In place of memory: what went wrong in making it. Each taker's take() throws it.
  void refuse(const Error& error, int takers, Deadline deadline, const StopCheck& check);

  // False when nobody holds the offer with that ticket any more: its process ended, or has destroyed it.
  static bool stands(std::string_view ticket);

  // Takes from the member with that ticket. `size` is what both sides computed. Errors: what the giver refused with.
  std::shared_ptr<SharedMemory> take(std::string_view ticket, size_t size, Deadline deadline,
                                     const StopCheck& check) const;

 private:
  void serve(const std::shared_ptr<SharedMemory>& memory, const std::shared_ptr<const Error>& refusal, int takers,
             Deadline deadline, const StopCheck& check);

  bool in_process_;
  std::string ticket_;
  Descriptor listener_;
};

}  // namespace ps
