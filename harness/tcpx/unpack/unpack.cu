// The unpack step on a GPU, with verification in the same pass.
//
// A launch is a table of rows, one a request; a block belongs to one row (blockIdx.y). LANES threads
// gather one descriptor, each with VECTORS loads of 16 bytes in flight, which is a page of 4 KiB.
// What a thread holds in registers is stored and compared with the payload's words (words.py), so
// verification moves no byte more. Small launches last little longer than their latencies: hence
// descriptors that are parameters of the launch, and no instruction that whole vectors do not need.
//
// The host has validated all descriptors and says how each row is to be done:
//   ALIGNED     in the order of their places, without overlap, every piece 16-byte aligned at both
//               ends of its way: kernels `_few` and `_many`
//   TILED       the same without alignment: by the widest loads that fit, words put together byte by
//               byte; a word belongs to the piece that holds its first byte
//   DISORDERED  places overlap: one block copies piece after piece, as NumPy does, and then looks
//   LYING       nothing is copied: the destination is looked at as it lies
// The last three are done by `_odd`. Rows of another way are passed over.
//
// A block adds the words that it has looked at to the row's tally once all its threads are done;
// `publish`, launched behind, writes the tallies where the host can see them and clears them.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define ODD 0x9E3779B97F4A7C15ull
#define WORD 8u
#define VECTOR 16u

enum How : u32 { ALIGNED, TILED, DISORDERED, LYING };

struct Descriptor {
  u32 src_off, len;
  u64 dst_off;
};

struct Row {
  const Descriptor* descriptors;
  const u8* bounce;
  u8* destination;
  u64 size;
  u64 base;         // the word that belongs at the destination's beginning
  const u64* flag;  // where arrivals are counted; null: nowhere
  u32 count;        // of descriptors
  u32 how;
};

// One request whose descriptors travel with the launch: small launches wait for nothing else.
struct Few {
  Row row;
  Descriptor descriptors[FEW];
};

struct Tally {
  u64 words, wrong, first, last, arrived;
};

// A wrong word: rare, so it may cost what it likes.
__device__ __noinline__ void note(Tally* tally, u64 word) {
  atomicAdd(&tally->wrong, 1);
  atomicMin(&tally->first, word);
  atomicMax(&tally->last, word);
}

// The arrival flag is read before anything that it announces, as the plugin's own kernel does it.
template <bool VERIFY>
__device__ __forceinline__ void await_visible(const u64* flag, Tally* tally) {
  if (!flag) return;
  if (threadIdx.x == 0) {
    u64 seen;
    asm volatile("ld.relaxed.gpu.u64 %0, [%1];" : "=l"(seen) : "l"(flag) : "memory");
    if (VERIFY && blockIdx.x == 0) tally->arrived = seen;
  }
  __syncthreads();
}

__device__ u64 words_before(u64 bytes) { return (bytes + WORD - 1) / WORD; }
__device__ u64 low(uint4 v) { return (u64)v.y << 32 | v.x; }
__device__ u64 high(uint4 v) { return (u64)v.w << 32 | v.z; }

// The words that begin in these pieces and those between, which lie beside each other.
__device__ u64 words_from(const Descriptor& first, const Descriptor& last) {
  return words_before(last.dst_off + last.len) - words_before(first.dst_off);
}

// All threads of the block come here.
__device__ __forceinline__ void settle(Tally* tally, u64 words) {
  __syncthreads();
  if (threadIdx.x == 0 && words) atomicAdd(&tally->words, words);
}

// -- aligned ------------------------------------------------------------------------------------

// The up to 15 bytes behind the last whole vector.
__device__ __noinline__ void gather_tail(u8* to, const u8* from, u32 bytes, u64 word, u64 right,
                                         u32 lane, Tally* tally) {
  if (lane < bytes) to[lane] = from[lane];
  if (!tally || lane * WORD >= bytes) return;
  bool differs = false;
  right += lane * ODD;
  for (u32 k = 0; k < WORD && lane * WORD + k < bytes; k++)
    differs |= from[lane * WORD + k] != (u8)(right >> 8 * k);
  if (differs) note(tally, word + lane);
}

template <bool VERIFY>
__device__ __forceinline__ void gather(const Row& row, const Descriptor& d, u32 lane,
                                       Tally* tally) {
  u32 vectors = d.len / VECTOR;
  const uint4* from = reinterpret_cast<const uint4*>(row.bounce + d.src_off);
  uint4* to = reinterpret_cast<uint4*>(row.destination + d.dst_off);
  for (u32 k = lane; k < vectors; k += LANES * VECTORS) {
    uint4 v[VECTORS];
#pragma unroll
    for (u32 j = 0; j < VECTORS; j++)
      if (k + j * LANES < vectors) v[j] = from[k + j * LANES];
#pragma unroll
    for (u32 j = 0; j < VECTORS; j++)
      if (k + j * LANES < vectors) to[k + j * LANES] = v[j];
    if (!VERIFY) continue;
    u64 word = d.dst_off / WORD + 2 * k, right = row.base + word * ODD;
#pragma unroll
    for (u32 j = 0; j < VECTORS; j++, right += 2 * LANES * ODD, word += 2 * LANES) {
      if (k + j * LANES >= vectors) continue;
      if (low(v[j]) != right) note(tally, word);
      if (high(v[j]) != right + ODD) note(tally, word + 1);
    }
  }
  if (u32 rest = d.len % VECTOR) {
    u64 word = d.dst_off / WORD + 2 * vectors;
    gather_tail((u8*)(to + vectors), (const u8*)(from + vectors), rest, word,
                row.base + word * ODD, lane, VERIFY ? tally : nullptr);
  }
}

__device__ __forceinline__ Descriptor loaded(const Descriptor* descriptor) {
  uint4 raw = *reinterpret_cast<const uint4*>(descriptor);
  return {raw.x, raw.y, high(raw)};
}

// A block does `pieces` descriptors, each group of LANES one after the other; the next descriptor is
// on its way while a piece is.
template <bool VERIFY>
__device__ __forceinline__ void serve_aligned(const Row& row, u32 pieces, Tally* tally) {
  u32 begin = blockIdx.x * pieces, groups = blockDim.x / LANES;
  if (row.how != ALIGNED || begin >= row.count) return;
  await_visible<VERIFY>(row.flag, tally);
  u32 i = begin + threadIdx.x / LANES, end = min(begin + pieces, row.count);
  if (i < end) {
    Descriptor next = loaded(row.descriptors + i);
    do {
      Descriptor d = next;
      i += groups;
      if (i < end) next = loaded(row.descriptors + i);
      gather<VERIFY>(row, d, threadIdx.x % LANES, tally);
    } while (i < end);
  }
  if (VERIFY) settle(tally, words_from(row.descriptors[begin], row.descriptors[end - 1]));
}

// A group a descriptor, and the descriptors are parameters of the launch.
template <bool VERIFY>
__device__ __forceinline__ void serve_few(const Few& few, Tally* tally) {
  u32 groups = blockDim.x / LANES, begin = blockIdx.x * groups;
  u32 i = begin + threadIdx.x / LANES, end = min(begin + groups, few.row.count);
  await_visible<VERIFY>(few.row.flag, tally);
  if (i < end) gather<VERIFY>(few.row, few.descriptors[i], threadIdx.x % LANES, tally);
  if (VERIFY) settle(tally, words_from(few.descriptors[begin], few.descriptors[end - 1]));
}

// -- odd ----------------------------------------------------------------------------------------

template <typename T>
__device__ void copy_as(u8* to, const u8* from, u32 len, u32 lane, u32 lanes) {
  u32 whole = len / sizeof(T);
  for (u32 k = lane; k < whole; k += lanes)
    reinterpret_cast<T*>(to)[k] = reinterpret_cast<const T*>(from)[k];
  for (u32 k = whole * sizeof(T) + lane; k < len; k += lanes) to[k] = from[k];
}

// By the widest load that both ends are aligned to.
__device__ void copy(u8* to, const u8* from, u32 len, u32 lane, u32 lanes) {
  u64 both = reinterpret_cast<u64>(to) | reinterpret_cast<u64>(from);
  if (both % 16 == 0) copy_as<uint4>(to, from, len, lane, lanes);
  else if (both % 8 == 0) copy_as<u64>(to, from, len, lane, lanes);
  else if (both % 4 == 0) copy_as<u32>(to, from, len, lane, lanes);
  else if (both % 2 == 0) copy_as<u16>(to, from, len, lane, lanes);
  else copy_as<u8>(to, from, len, lane, lanes);
}

__device__ u32 bytes_of(const Row& row, u64 word) {
  u64 left = row.size - word * WORD;
  return left < WORD ? left : WORD;
}

__device__ void compare(const Row& row, u64 word, u64 seen, Tally* tally) {
  u32 bytes = bytes_of(row, word);
  u64 mask = bytes < WORD ? (1ull << 8 * bytes) - 1 : ~0ull;
  if ((seen ^ (row.base + word * ODD)) & mask) note(tally, word);
}

// A word out of the bounce buffer; it begins in piece i and may go on in the next ones.
__device__ u64 gathered(const Row& row, u32 i, u64 word) {
  Descriptor d = row.descriptors[i];
  u64 seen = 0;
  for (u32 k = 0; k < bytes_of(row, word); k++) {
    u64 at = word * WORD + k;
    while (at >= d.dst_off + d.len) d = row.descriptors[++i];
    seen |= (u64)row.bounce[d.src_off + (at - d.dst_off)] << 8 * k;
  }
  return seen;
}

template <bool VERIFY>
__device__ u64 gather_tiles(const Row& row, Tally* tally) {
  u32 pieces = blockDim.x / LANES, begin = blockIdx.x * pieces, lane = threadIdx.x % LANES;
  if (begin >= row.count) return 0;
  u32 i = begin + threadIdx.x / LANES, end = min(begin + pieces, row.count);
  if (i < end) {
    Descriptor d = row.descriptors[i];
    copy(row.destination + d.dst_off, row.bounce + d.src_off, d.len, lane, LANES);
    if (VERIFY)
      for (u64 w = words_before(d.dst_off) + lane; w * WORD < d.dst_off + d.len; w += LANES)
        compare(row, w, gathered(row, i, w), tally);
  }
  return words_from(row.descriptors[begin], row.descriptors[end - 1]);
}

// The destination's words from `first` on, `threads` apart: how many this thread has looked at.
__device__ u64 look(const Row& row, u64 first, u64 threads, Tally* tally) {
  bool aligned = reinterpret_cast<u64>(row.destination) % WORD == 0;
  u64 looked = 0;
  for (u64 word = first; word * WORD < row.size; word += threads, looked++) {
    const u8* from = row.destination + word * WORD;
    u32 bytes = bytes_of(row, word);
    u64 seen = 0;
    if (aligned && bytes == WORD) seen = *reinterpret_cast<const u64*>(from);
    else for (u32 k = 0; k < bytes; k++) seen |= (u64)from[k] << 8 * k;
    compare(row, word, seen, tally);
  }
  return looked;
}

template <bool VERIFY>
__device__ u64 gather_in_order(const Row& row, Tally* tally) {
  if (blockIdx.x) return 0;
  for (u32 i = 0; i < row.count; i++) {
    Descriptor d = row.descriptors[i];
    copy(row.destination + d.dst_off, row.bounce + d.src_off, d.len, threadIdx.x, blockDim.x);
    __syncthreads();
  }
  if (VERIFY) look(row, threadIdx.x, blockDim.x, tally);
  return words_before(row.size);
}

__device__ u64 look_as_it_lies(const Row& row, Tally* tally) {
  u64 threads = (u64)gridDim.x * blockDim.x, first = (u64)blockIdx.x * blockDim.x;
  look(row, first + threadIdx.x, threads, tally);
  u64 words = words_before(row.size), mine = 0;
  for (u64 word = first; word < words; word += threads) mine += min((u64)blockDim.x, words - word);
  return mine;
}

template <bool VERIFY>
__device__ void serve_odd(const Row& row, Tally* tally) {
  if (row.how == ALIGNED) return;
  await_visible<VERIFY>(row.flag, tally);
  u64 words = row.how == TILED        ? gather_tiles<VERIFY>(row, tally)
              : row.how == DISORDERED ? gather_in_order<VERIFY>(row, tally)
                                      : look_as_it_lies(row, tally);
  if (VERIFY) settle(tally, words);
}

// -- entries ------------------------------------------------------------------------------------

#define KERNEL extern "C" __global__ void __launch_bounds__(256)

KERNEL unpack_few(const __grid_constant__ Few few, Tally* tally) {
  serve_few<false>(few, tally);
}
KERNEL verify_few(const __grid_constant__ Few few, Tally* tally) {
  serve_few<true>(few, tally);
}
KERNEL unpack_many(const Row* table, Tally* tallies, u32 pieces) {
  serve_aligned<false>(table[blockIdx.y], pieces, tallies + blockIdx.y);
}
KERNEL verify_many(const Row* table, Tally* tallies, u32 pieces) {
  serve_aligned<true>(table[blockIdx.y], pieces, tallies + blockIdx.y);
}
KERNEL unpack_odd(const Row* table, Tally* tallies) {
  serve_odd<false>(table[blockIdx.y], tallies + blockIdx.y);
}
KERNEL verify_odd(const Row* table, Tally* tallies) {
  serve_odd<true>(table[blockIdx.y], tallies + blockIdx.y);
}

KERNEL publish(Tally* tallies, Tally* results, u32 count) {
  u32 i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  results[i] = tallies[i];
  tallies[i] = Tally{0, 0, ~0ull, 0, 0};
}

// Writes the payload that belongs at the row's destination.
KERNEL fill(const __grid_constant__ Row row) {
  u64 threads = (u64)gridDim.x * blockDim.x, words = words_before(row.size);
  bool aligned = reinterpret_cast<u64>(row.destination) % WORD == 0;
  for (u64 word = (u64)blockIdx.x * blockDim.x + threadIdx.x; word < words; word += threads) {
    u8* to = row.destination + word * WORD;
    u64 right = row.base + word * ODD;
    u32 bytes = bytes_of(row, word);
    if (aligned && bytes == WORD) *reinterpret_cast<u64*>(to) = right;
    else for (u32 k = 0; k < bytes; k++) to[k] = right >> 8 * k;
  }
}
