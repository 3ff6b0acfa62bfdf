// The reduction loops, compiled once for each instruction set (PS_REDUCE_TARGET names it). They are plain loops for the
// compiler to vectorise. Only the find functions have external linkage, and nothing inline is used from elsewhere: a
// function emitted here as a weak symbol could be linked into code that runs on every processor.
#include "host/reduce/kernels.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "host/reduce/float16_pack.h"
#include "host/reduce/operations.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ps::PS_REDUCE_TARGET {
namespace {

// Bytes accumulated at a time for other numbers of sources: well within the first-level cache.
constexpr size_t kBlockBytes = 4096;

// An element of the caller's memory: of any declared type, at any address.
template <class T>
struct __attribute__((packed, may_alias)) Stored {
  T value;
};

constexpr size_t kLine = 64;
// Results that leave the caches are made so many bytes at a time, and written by whole lines. With so few the processor
// fetches the next operands while these are on their way; it is told of those from so far ahead, as its own guesses end
// with each page.
constexpr size_t kStreamedBytes = 4 * kLine;
constexpr size_t kFetchedAhead = 2048;

#if defined(__x86_64__)

constexpr bool kCanStream = true;

// Both at the beginning of a line.
inline void stream_line(void* to, const void* from) {
#if defined(__AVX512F__)
  _mm512_stream_si512(static_cast<__m512i*>(to), _mm512_load_si512(from));
#elif defined(__AVX__)
  for (int i = 0; i < 2; ++i) {
    _mm256_stream_si256(static_cast<__m256i*>(to) + i, _mm256_load_si256(static_cast<const __m256i*>(from) + i));
  }
#else
  for (int i = 0; i < 4; ++i) {
    _mm_stream_si128(static_cast<__m128i*>(to) + i, _mm_load_si128(static_cast<const __m128i*>(from) + i));
  }
#endif
}

// Later stores, a flag among them, come after what was streamed.
inline void end_stream() { _mm_sfence(); }

#else

constexpr bool kCanStream = false;
inline void stream_line(void*, const void*) {}
inline void end_stream() {}

#endif

template <class Operation>
struct Source {
  using Accumulator = typename Operation::Accumulator;
  const Stored<typename Operation::Element>* elements;
  Accumulator factor;

  Accumulator read(size_t index) const { return Operation::read(elements[index].value, factor); }
  // Has the lines fetched that a block of streamed results will need.
  void fetch(size_t index) const {
    const char* const ahead = reinterpret_cast<const char*>(elements + index) + kFetchedAhead;
    for (size_t at = 0; at < kStreamedBytes; at += kLine) __builtin_prefetch(ahead + at);
  }
};

// result[i] = compute(i). fetch(i) says that elements from i on are next.
template <bool kStreams, class Element, class Compute, class Fetch>
void write(Stored<Element>* result, size_t count, Compute&& compute, Fetch&& fetch) {
  size_t done = 0;
  const size_t into_line = reinterpret_cast<uintptr_t>(result) % kLine;
  if (kStreams && kLine % sizeof(Element) == 0 && into_line % sizeof(Element) == 0) {
    constexpr size_t kBlock = kStreamedBytes / sizeof(Element);
    const size_t head = (kLine - into_line) % kLine / sizeof(Element);
    for (; done < count && done < head; ++done) result[done].value = compute(done);
    for (; done + kBlock <= count; done += kBlock) {
      alignas(kLine) Stored<Element> block[kBlock];
      fetch(done);
      for (size_t i = 0; i < kBlock; ++i) block[i].value = compute(done + i);
      for (size_t at = 0; at < kStreamedBytes; at += kLine) {
        stream_line(reinterpret_cast<char*>(result + done) + at, reinterpret_cast<const char*>(block) + at);
      }
    }
  }
#pragma GCC ivdep
  for (size_t i = done; i < count; ++i) result[i].value = compute(i);
}

// All sources in one pass, so that lines of each of them are on their way out of other cores' caches at once. For the
// numbers that are common, as each is a loop of its own for every type, operation and target.
template <bool kStreams, class Operation, class... Others>
void reduce_side_by_side(Stored<typename Operation::Element>* result, size_t count, Source<Operation> first,
                         Others... others) {
  const auto compute = [&](size_t i) {
    typename Operation::Accumulator value = first.read(i);
    ((value = Operation::combine(value, others.read(i))), ...);
    return Operation::finish(value, 1 + sizeof...(others));
  };
  write<kStreams>(result, count, compute, [&](size_t i) { first.fetch(i), (others.fetch(i), ...); });
}

// A function of its own, because inlined into the loop over the sources the two loops are interchanged, and what is
// then the inner one cannot be vectorised.
template <class Operation>
[[gnu::noinline]] void accumulate(typename Operation::Accumulator* partial, Source<Operation> source, size_t begin,
                                  size_t length) {
#pragma GCC ivdep
  for (size_t i = 0; i < length; ++i) partial[i] = Operation::combine(partial[i], source.read(begin + i));
}

// Reduces `count` elements, `offset` bytes into each buffer. The loops may take the elements in any order, even where
// the destination is a source: an element is written after it was read, and nothing else reads it. So says ivdep.
template <class Operation, bool kStreams>
void reduce_range(void* destination, const void* const* sources, size_t source_count, size_t offset, size_t count,
                  const double* scales) {
  using Element = typename Operation::Element;
  using Accumulator = typename Operation::Accumulator;
  constexpr size_t kBlock = kBlockBytes / sizeof(Accumulator);
  auto* const result = reinterpret_cast<Stored<Element>*>(static_cast<char*>(destination) + offset);
  const auto source = [&](size_t index) {
    const char* const begin = static_cast<const char*>(sources[index]) + offset;
    Source<Operation> made{reinterpret_cast<const Stored<Element>*>(begin), {}};
    if constexpr (Operation::kScales) made.factor = Operation::factor(scales[index]);
    return made;
  };

  if (source_count == 1) return reduce_side_by_side<kStreams>(result, count, source(0));
  if (source_count == 2) return reduce_side_by_side<kStreams>(result, count, source(0), source(1));
  if constexpr (!kStreams) {
    if (source_count == 4) return reduce_side_by_side<false>(result, count, source(0), source(1), source(2), source(3));
  }

  const Source<Operation> first = source(0);
  const Source<Operation> second = source(1);
  const Source<Operation> last = source(source_count - 1);
  alignas(64) Accumulator partial[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t length = count - begin < kBlock ? count - begin : kBlock;
    for (size_t i = 0; i < length; ++i) {
      partial[i] = Operation::combine(first.read(begin + i), second.read(begin + i));
    }
    for (size_t index = 2; index < source_count - 1; ++index) {
      accumulate<Operation>(partial, source(index), begin, length);
    }
    const auto compute = [&](size_t i) {
      return Operation::finish(Operation::combine(partial[i], last.read(begin + i)), source_count);
    };
    write<kStreams>(result + begin, length, compute, [&](size_t i) { last.fetch(begin + i); });
  }
}

template <class Operation>
bool copy_one(void* destination, const void* const* sources, size_t source_count, size_t count) {
  if (!Operation::kCopiesOneSource || source_count != 1) return false;
  std::memmove(destination, sources[0], count * sizeof(typename Operation::Element));
  return true;
}

template <class Operation>
void reduce(void* destination, const void* const* sources, size_t source_count, size_t count, const double* scales) {
  if (count == 0 || copy_one<Operation>(destination, sources, source_count, count)) return;
  reduce_range<Operation, false>(destination, sources, source_count, 0, count, scales);
}

// The same with as many elements as possible taken in packs.
template <template <class> class Operation, class Format, bool kStreams = false>
void reduce_packed(void* destination, const void* const* sources, size_t source_count, size_t count,
                   const double* scales) {
  if (count == 0 || copy_one<Operation<Format>>(destination, sources, source_count, count)) return;
  using Pack = Packed<Format>;
  const size_t packs = Pack::kLanes > 1 ? count / Pack::kLanes : 0;
  const size_t packed = packs * Pack::kLanes;
  if (packs > 0) {
    reduce_range<Operation<typename Pack::Type>, kStreams>(destination, sources, source_count, 0, packs, scales);
  }
  reduce_range<Operation<Format>, kStreams>(destination, sources, source_count, packed * sizeof(typename Format::Bits),
                                            count - packed, scales);
  if (kStreams) end_stream();
}

template <class Format>
ReduceKernel find_float_kernel(psReduceOp op) {
  switch (op) {
    case PS_SUM:
      return reduce_packed<FloatSum, Format>;
    case PS_PRODUCT:
      return reduce_packed<FloatProduct, Format>;
    case PS_MIN:
      return reduce<FloatMin<Format>>;
    case PS_MAX:
      return reduce<FloatMax<Format>>;
    case PS_AVG:
      return reduce_packed<FloatAverage, Format>;
    case PS_PREMUL_SUM:
      return reduce_packed<FloatPremulSum, Format>;
    default:
      return nullptr;
  }
}

template <class Integer>
ReduceKernel find_integer_kernel(psReduceOp op) {
  switch (op) {
    case PS_SUM:
      return reduce<IntegerSum<Integer>>;
    case PS_PRODUCT:
      return reduce<IntegerProduct<Integer>>;
    case PS_MIN:
      return reduce<IntegerMin<Integer>>;
    case PS_MAX:
      return reduce<IntegerMax<Integer>>;
    case PS_AVG:
      return reduce<IntegerAverage<Integer>>;
    case PS_BIT_AND:
      return reduce<BitAnd<Integer>>;
    case PS_BIT_OR:
      return reduce<BitOr<Integer>>;
    case PS_BIT_XOR:
      return reduce<BitXor<Integer>>;
    default:
      return nullptr;
  }
}

ReduceKernel find_bool_kernel(psReduceOp op) {
  switch (op) {
    case PS_LOGICAL_AND:
      return reduce<Logical<BitAnd<uint8_t>>>;
    case PS_LOGICAL_OR:
      return reduce<Logical<BitOr<uint8_t>>>;
    case PS_LOGICAL_XOR:
      return reduce<Logical<BitXor<uint8_t>>>;
    default:
      return nullptr;
  }
}

// What training makes large sums of; for nothing else, as each is a loop of its own for every target.
template <class Format>
ReduceKernel find_streaming_float_kernel(psReduceOp op) {
  switch (op) {
    case PS_SUM:
      return reduce_packed<FloatSum, Format, true>;
    case PS_AVG:
      return reduce_packed<FloatAverage, Format, true>;
    default:
      return nullptr;
  }
}

// One source, element by element to another type.
template <class Operation>
void convert(void* destination, const void* const* sources, size_t, size_t count, const double* scales) {
  const auto factor = Operation::factor(scales[0]);
  auto* const results = static_cast<Stored<typename Operation::Result>*>(destination);
  const auto* const elements = static_cast<const Stored<typename Operation::Element>*>(sources[0]);
#pragma GCC ivdep
  for (size_t i = 0; i < count; ++i) results[i].value = Operation::finish(Operation::read(elements[i].value, factor), 1);
}

}  // namespace

ReduceKernel find_widening(psDataType dtype) {
  switch (dtype) {
    case PS_FLOAT16:
      return convert<FloatWidening<Float16>>;
    case PS_BFLOAT16:
      return convert<FloatWidening<BFloat16>>;
    case PS_FLOAT8_E4M3:
      return convert<FloatWidening<Float8E4M3>>;
    case PS_FLOAT8_E5M2:
      return convert<FloatWidening<Float8E5M2>>;
    default:
      return nullptr;
  }
}

ReduceKernel find_finishing(psDataType dtype) {
  switch (dtype) {
    case PS_INT8:
      return convert<IntegerFinishing<int8_t>>;
    case PS_INT16:
      return convert<IntegerFinishing<int16_t>>;
    case PS_INT32:
      return convert<IntegerFinishing<int32_t>>;
    case PS_INT64:
      return convert<IntegerFinishing<int64_t>>;
    case PS_UINT8:
      return convert<IntegerFinishing<uint8_t>>;
    case PS_UINT16:
      return convert<IntegerFinishing<uint16_t>>;
    case PS_UINT32:
      return convert<IntegerFinishing<uint32_t>>;
    case PS_UINT64:
      return convert<IntegerFinishing<uint64_t>>;
    case PS_FLOAT16:
      return convert<FloatFinishing<Float16>>;
    case PS_BFLOAT16:
      return convert<FloatFinishing<BFloat16>>;
    case PS_FLOAT32:
      return convert<FloatFinishing<Float32>>;
    case PS_FLOAT64:
      return convert<FloatFinishing<Float64>>;
    case PS_FLOAT8_E4M3:
      return convert<FloatFinishing<Float8E4M3>>;
    case PS_FLOAT8_E5M2:
      return convert<FloatFinishing<Float8E5M2>>;
    default:
      return nullptr;
  }
}

ReduceKernel find_kernel(psDataType dtype, psReduceOp op) {
  switch (dtype) {
    case PS_INT8:
      return find_integer_kernel<int8_t>(op);
    case PS_INT16:
      return find_integer_kernel<int16_t>(op);
    case PS_INT32:
      return find_integer_kernel<int32_t>(op);
    case PS_INT64:
      return find_integer_kernel<int64_t>(op);
    case PS_UINT8:
      return find_integer_kernel<uint8_t>(op);
    case PS_UINT16:
      return find_integer_kernel<uint16_t>(op);
    case PS_UINT32:
      return find_integer_kernel<uint32_t>(op);
    case PS_UINT64:
      return find_integer_kernel<uint64_t>(op);
    case PS_FLOAT16:
      return find_float_kernel<Float16>(op);
    case PS_BFLOAT16:
      return find_float_kernel<BFloat16>(op);
    case PS_FLOAT32:
      return find_float_kernel<Float32>(op);
    case PS_FLOAT64:
      return find_float_kernel<Float64>(op);
    case PS_FLOAT8_E4M3:
      return find_float_kernel<Float8E4M3>(op);
    case PS_FLOAT8_E5M2:
      return find_float_kernel<Float8E5M2>(op);
    case PS_BOOL:
      return find_bool_kernel(op);
    default:
      return nullptr;
  }
}

ReduceKernel find_streaming_kernel(psDataType dtype, psReduceOp op) {
  if (!kCanStream) return nullptr;
  switch (dtype) {
    case PS_FLOAT16:
      return find_streaming_float_kernel<Float16>(op);
    case PS_BFLOAT16:
      return find_streaming_float_kernel<BFloat16>(op);
    case PS_FLOAT32:
      return find_streaming_float_kernel<Float32>(op);
    case PS_FLOAT64:
      return find_streaming_float_kernel<Float64>(op);
    default:
      return nullptr;
  }
}

}  // namespace ps::PS_REDUCE_TARGET
