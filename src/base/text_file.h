// A small file to be read as text, such as those in which the kernel tells of itself. Its buffer is in the object: a plain
// std::ifstream takes 8 KiB of the heap for each, in every rank of a world that forms.
#pragma once

#include <array>
#include <fstream>
#include <string>

namespace ps {

struct TextFileBuffer {
  std::array<char, 512> bytes;
};

class TextFile : private TextFileBuffer, public std::ifstream {  // the buffer first, as it has to live longer
 public:
  explicit TextFile(const std::string& name) {
    rdbuf()->pubsetbuf(bytes.data(), bytes.size());  // before it is open, or it has no effect
    open(name);
  }
  TextFile(TextFile&&) = delete;  // the stream would go on with the buffer of the other
};

}  // namespace ps
