// The collectives of a communicator in their order. They are linked through the requests themselves, so that the queue
// of a call that is alone in it costs no more than a few stores.
#pragma once

#include "group/request.h"

namespace ps {

class Queue {
 public:
  bool empty() const { return first_ == nullptr; }
  // nullptr: none.
  CollectiveRequest* first() const { return first_; }
  void push_back(CollectiveRequest& request) {
    (first_ == nullptr ? first_ : last_->next) = &request;
    last_ = &request;
  }
  CollectiveRequest& pop_front() {
    CollectiveRequest& request = *first_;
    first_ = request.next;
    return request;
  }

 private:
  CollectiveRequest* first_ = nullptr;
  CollectiveRequest* last_ = nullptr;  // valid where there is a first
};

}  // namespace ps
