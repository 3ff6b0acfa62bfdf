// The driver of layout_fuzz where there is no libFuzzer: mutates the golden specs, and some that were found hard, by
// the grammar of specs and byte by byte. layout_fuzz MUTATIONS [seed], or SECONDSs for as long as that.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern uint64_t layout_fuzz_accepted;
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// More processor time than any layout takes, under any sanitizer and load.
constexpr double kMostSeconds = 20;

std::string repeated(const std::string& text, size_t times) {
  std::string result;
  for (size_t i = 0; i < times; ++i) result += text;
  return result;
}

std::string many_axes(const char* preset, const char* size) {
  std::string text = std::string("64 ") + preset + ":";
  for (int i = 0; i < 600; ++i) text += (i == 0 ? "a" : ",a") + std::to_string(i) + "=" + size;
  return text;
}

std::string many_views() {
  std::string text = "2147483647 grid:a=*";
  for (int i = 0; i < 400; ++i) text += ";v" + std::to_string(i) + ":b" + std::to_string(i) + "=*";
  return text;
}

std::vector<std::string> corpus() {
  std::vector<std::string> inputs;
  std::ifstream file(PS_SOURCE_DIR "/tests/golden/layouts.json");
  for (const auto& each : nlohmann::json::parse(file)) {
    inputs.push_back(each["world"].dump() + " " + each["spec"].get<std::string>());
  }
  for (const char* hard : {"2147483647 grid:a=*", "2147483646 mesh:a=2,b=*,c=3", "2147483647 megatron:tp=2147483646",
                           "1000000 megatron:tp=8,pp=*,cp=5,ep=4,etp=2,hcp=5x1x1,distopt=5,order=tp-ep-cp-dp-pp\ntp-cp",
                           "48 vllm:tp=4,pcp=3,dcp=6,rank_offset=12\nexternal_dp", "12 trtllm:tp=*,cp=3,moe_tp=2",
                           "32 grid:tp=4,dp=4,pp=2;expert:etp=2,ep=*,pp=2;one:all=*\nexpert.ep\ntp-pp-dp",
                           "9 grid:a=2,b=*,rank_offset=1;v:c=8", "2147483647 vllm:tp=1\ntp-dp", "24 deepspeed:ep=3,tp=2,pp=*",
                           "40 sglang:tp=*,pp=2,attn_cp=2,moe_ep=4,dcp=4,shared_experts_tp=8,rank_offset=8"}) {
    inputs.emplace_back(hard);
  }
  inputs.push_back(many_axes("grid", "1") + "\n" + repeated("a1-", 1300) + "a1");
  inputs.push_back(many_axes("mesh", "2"));
  inputs.push_back(many_views());
  return inputs;
}

constexpr const char* kWords[] = {
    "sglang:", "vllm:", "megatron:", "trtllm:", "deepspeed:", "grid:", "mesh:", "tp=", "pp=", "cp=", "ep=", "etp=", "dp=",
    "gtp=", "egtp=", "vpp=", "distopt=", "hcp=", "hybrid=1", "order=", "attn_dp=", "attn_cp=", "moe_ep=", "moe_dp=",
    "moe_tp=", "dcp=", "pcp=", "shared_experts_tp=", "duplicate_tp=1", "dcp_rule=tp_adjacent", "dcp_rule=pcp_first",
    "rank_offset=", "tp-cp-ep-dp-pp", "PP-dp-ep-tp-cp", "ep-cp-dp-tp", "2x2", "3x1x2", "*", ",", ";", ":", "=", "-", "x",
    ";v:", ";w:a=", "\ntp-pp", "\nexpert.ep", "\nv.a", ",a=", ",b=", "0", "-1"};
constexpr const char* kNumbers[] = {"1", "1", "2", "2", "2", "3", "4", "4", "6", "8", "12", "16", "0", "5", "7", "32", "60",
                                    "64", "100", "120", "1024", "65536", "1000000", "46341", "2147483647", "2147483648",
                                    "1073741824", "4294967296", "9223372036854775807", "*"};

class Mutator {
 public:
  Mutator(std::vector<std::string> inputs, uint64_t seed) : inputs_(std::move(inputs)), random_(seed) {}

  std::string next() {
    std::string input = any(inputs_);
    for (uint64_t left = below(5) + 1; left > 0; --left) mutate(input);
    return input;
  }

 private:
  uint64_t below(uint64_t count) { return random_() % count; }
  template <class List>
  auto any(const List& list) -> decltype(list[0]) {
    return list[below(std::size(list))];
  }

  void mutate(std::string& input) {
    const size_t at = input.empty() ? 0 : below(input.size());
    switch (below(13)) {
      case 0:
      case 1:
      case 2: {  // another number, the world's too
        const size_t begin = input.find_first_of("0123456789", at);
        if (begin == std::string::npos) return;
        input.replace(begin, input.find_first_not_of("0123456789", begin) - begin, any(kNumbers));
        break;
      }
      case 3:
      case 4: {  // another entry
        const size_t place = input.find_first_of(":,;", at);
        if (place == std::string::npos) return;
        input.insert(place + 1, std::string(any(kWords)) + any(kNumbers) + (input[place] == ';' ? ":" : ","));
        break;
      }
      case 5: input.insert(at, any(kWords)); break;
      case 6: {  // one entry less
        const size_t place = input.find_first_of(",;", at);
        if (place != std::string::npos) input.erase(place, input.find_first_of(",;\n", place + 1) - place);
        break;
      }
      case 7: {
        const std::string& other = any(inputs_);
        input.insert(at, other.substr(below(other.size()), below(64)));
        break;
      }
      case 8:
      case 9:
      case 10: {  // a size and the world times the same number, which is accepted more often than not
        const size_t colon = std::min<size_t>(input.find(':'), input.size());
        const size_t begin = input.find_first_of("0123456789", std::max(at, colon));
        if (begin == std::string::npos) return;
        const uint64_t factor = below(4) + 2;
        multiply(input, begin, factor);
        multiply(input, 0, factor);
        break;
      }
      case 11: input[at] = static_cast<char>(random_()); break;
      default: input.erase(at, below(9));
    }
    if (input.empty()) input = "8";
  }

  static void multiply(std::string& input, size_t begin, uint64_t factor) {
    const size_t end = std::min(input.find_first_not_of("0123456789", begin), input.size());
    const uint64_t number = std::strtoull(input.substr(begin, end - begin).c_str(), nullptr, 10);
    input.replace(begin, end - begin, std::to_string(number * factor));
  }

  std::vector<std::string> inputs_;
  std::mt19937_64 random_;
};

// The processor time is measured, which the load of the machine does not lengthen.
void run(const std::string& input) {
  const std::clock_t before = std::clock();
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  if (static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < kMostSeconds) return;
  std::cerr << "layout_fuzz: takes too long\ninput: " << input << "\n";
  std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string amount = argc > 1 ? argv[1] : "100000";
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}();
  const bool timed = amount.back() == 's';
  const uint64_t limit = std::strtoull(amount.c_str(), nullptr, 10);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(timed ? limit : 0);
  const std::vector<std::string> inputs = corpus();
  for (const std::string& input : inputs) run(input);
  Mutator mutator(inputs, seed);
  uint64_t done = 0;
  for (; timed ? std::chrono::steady_clock::now() < until : done < limit; ++done) run(mutator.next());
  std::cout << "layout_fuzz: " << inputs.size() << " inputs and " << done << " mutations from seed " << seed
            << ", " << layout_fuzz_accepted << " accepted, no fault\n";
  return layout_fuzz_accepted > inputs.size() / 2 ? 0 : 1;
}
