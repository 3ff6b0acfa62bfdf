// Debian's libgloo-dev leaves out a header that its other headers include. This stands in for it where it is missing: the
// names and the sizes that those headers need to be read, nothing that could be used. pair.cc checks the sizes of the
// classes that have them as members.
#pragma once

#include <memory>

namespace gloo {

template <class T>
class NonOwningPtr;

template <class T>
class ShareableNonOwningPtr final {
 private:
  std::shared_ptr<void> held_;
};

template <class T>
class WeakNonOwningPtr final {
 public:
  WeakNonOwningPtr() = default;
  explicit WeakNonOwningPtr(const ShareableNonOwningPtr<T>&);

 private:
  std::weak_ptr<void> held_;
};

}  // namespace gloo
