#include "row_json/object_buffer.hpp"

#include "base/sha256.hpp"

namespace hydra::row_json {

LinesBody::LinesBody(ByteBuffer bytes, std::vector<Piece> pieces, BufferPool& pool)
    : pool_(pool), bytes_(std::move(bytes)), pieces_(std::move(pieces)) {}

LinesBody::~LinesBody() {
  pool_.give(std::move(bytes_));
}

void LinesBody::rewind() {
  piece_ = 0;
  done_ = 0;
}

std::size_t LinesBody::read(char* to, std::size_t room) noexcept {
  std::size_t copied = 0;
  while (copied < room && piece_ < pieces_.size()) {
    const Piece& piece = pieces_[piece_];
    const std::size_t n =
        std::min<std::size_t>(room - copied, static_cast<std::size_t>(piece.size - done_));
    std::memcpy(to + copied, bytes_.data() + piece.offset + done_, n);
    copied += n;
    done_ += n;
    if (done_ == piece.size) {
      ++piece_;
      done_ = 0;
    }
  }
  return copied;
}

std::string LinesBody::sha256() const {
  Sha256 hash;
  for (const Piece& piece : pieces_) {
    hash.update({bytes_.data() + piece.offset, static_cast<std::size_t>(piece.size)});
  }
  return hex(hash.finish());
}

std::size_t LinesBody::memory() const {
  return bytes_.capacity() + pieces_.capacity() * sizeof(Piece);
}

ObjectBuffer::ObjectBuffer(const Key& key, BufferPool& pool)
    : key_(key), pool_(pool), bytes_(pool.take()) {
  context_ = pg::call([]() noexcept {
    return AllocSetContextCreate(CurrentMemoryContext, "hydra_export object",
                                 ALLOCSET_DEFAULT_SIZES);
  });
}

ObjectBuffer::~ObjectBuffer() {
  MemoryContextDelete(context_);
  pool_.give(std::move(bytes_));
}

void ObjectBuffer::grow() {
  const std::size_t room = room_ == 0 ? 256 : room_ * 2;
  if (room_ == 0) {
    entries_ = static_cast<Entry*>(palloc(room * sizeof(Entry)));
    keys_ = static_cast<Datum*>(palloc(room * sizeof(Datum) * key_.size()));
  } else {
    entries_ = static_cast<Entry*>(repalloc_huge(entries_, room * sizeof(Entry)));
    keys_ = static_cast<Datum*>(repalloc_huge(keys_, room * sizeof(Datum) * key_.size()));
  }
  room_ = room;
}

void ObjectBuffer::add(std::size_t start, const Datum* values, const bool* nulls) {
  MemoryContext previous = MemoryContextSwitchTo(context_);
  if (rows_ == room_) grow();
  entries_[rows_] = {start, static_cast<std::uint32_t>(bytes_.size() - start),
                     static_cast<std::uint32_t>(rows_)};
  key_.copy(values, nulls, keys_ + rows_ * key_.size());
  ++rows_;
  MemoryContextSwitchTo(previous);
}

std::size_t ObjectBuffer::memory() const {
  return bytes_.capacity() + MemoryContextMemAllocated(context_, true);
}

int ObjectBuffer::compare(const void* a, const void* b, void* self) {
  const ObjectBuffer* buffer = static_cast<const ObjectBuffer*>(self);
  return buffer->key_.compare(buffer->key_of(*static_cast<const Entry*>(a)),
                              buffer->key_of(*static_cast<const Entry*>(b)));
}

// A table is mostly in the order of insertion, except for rows that were placed on an older page:
// only rows that come after a greater key are sorted, and then merged with the rest.
void ObjectBuffer::sort() {
  Entry* late = static_cast<Entry*>(MemoryContextAllocHuge(context_, rows_ * sizeof(Entry)));
  std::size_t rising_count = 0, late_count = 0;
  for (std::size_t i = 0; i < rows_; ++i) {
    const bool rises =
        rising_count == 0 || compare(entries_ + rising_count - 1, entries_ + i, this) <= 0;
    (rises ? entries_[rising_count++] : late[late_count++]) = entries_[i];
  }
  qsort_arg(late, late_count, sizeof(Entry), compare, this);
  while (late_count > 0) {
    const bool from_late =
        rising_count == 0 || compare(entries_ + rising_count - 1, late + late_count - 1, this) <= 0;
    const std::size_t place = rising_count + late_count - 1;
    entries_[place] = from_late ? late[--late_count] : entries_[--rising_count];
  }
  pfree(late);
}

// Consecutive lines that are also consecutive in the buffer form one piece.
std::vector<LinesBody::Piece> ObjectBuffer::pieces() const {
  std::vector<LinesBody::Piece> pieces;
  std::uint64_t end = 0;  // of the previous piece
  for (std::size_t i = 0; i < rows_; ++i) {
    const Entry& entry = entries_[i];
    if (pieces.empty() || entry.offset != end) {
      pieces.push_back({entry.offset, entry.size});
    } else {
      pieces.back().size += entry.size;
    }
    end = entry.offset + entry.size;
  }
  return pieces;
}

ClosedObject ObjectBuffer::close() {
  pg::call([this]() noexcept { sort(); });
  ClosedObject object;
  object.rows = rows_;
  object.bytes = bytes_.size();
  object.first_id = key_.id(key_of(entries_[0]));
  object.last_id = key_.id(key_of(entries_[rows_ - 1]));
  std::vector<LinesBody::Piece> order = pieces();
  object.body = std::make_unique<LinesBody>(std::move(bytes_), std::move(order), pool_);
  return object;
}

}  // namespace hydra::row_json
