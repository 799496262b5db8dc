// Sockets for which the owner of an event loop must wait.
#pragma once

namespace hydra::s3 {

// A socket to wait for. Never both false.
struct Watch {
  int fd = -1;
  bool readable = false;
  bool writable = false;
};

}  // namespace hydra::s3
