// What listens where a store was expected is named.
#include "support.h"

namespace ps {
namespace {

using StrangerTest = StoreTest;

void read_until_end(Stream& stream) {
  std::string ignored;
  stream.receive(ignored, 1 << 20, Deadline::in_ms(3000));
}

TEST_F(StrangerTest, AnHttpServerThatAnswersAnything) {
  TestServer server([](Stream& stream) {
    std::string request;
    stream.receive_some(request, 4096, soon());
    stream.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", soon());
  });
  EXPECT_ERROR(join_store(settings(server.url()), soon()), PS_ERR_SYSTEM, "an HTTP server", server.url());
}

TEST_F(StrangerTest, AnHttpServerThatWaitsForALine) {
  TestServer server([](Stream& stream) {
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      if (request.size() >= 4 && request.compare(0, 4, "HEAD") != 0) return;
      stream.receive_some(request, 4096, Deadline::in_ms(200));
    }
    stream.send("HTTP/1.0 404 Not Found\r\n\r\n", soon());
  });
  EXPECT_ERROR(join_store(settings(server.url()), soon()), PS_ERR_SYSTEM, "an HTTP server");
}

TEST_F(StrangerTest, TorchsStore) {
  TestServer server([](Stream& stream) {
    std::string query;
    stream.receive(query, 5, soon());
    if (query != std::string("\0\xCE\xF7\x85\x3C", 5)) return;
    query.clear();
    stream.receive(query, 5, soon());
    if (query[0] == 13) stream.send(query.substr(1), soon());
    read_until_end(stream);
  });
  EXPECT_ERROR(join_store(settings(server.url()), soon()), PS_ERR_SYSTEM, "torch's TCPStore");
  EXPECT_ERROR(meet_store(settings(server.url()), soon()), PS_ERR_SYSTEM, "torch's TCPStore");
}

TEST_F(StrangerTest, SomethingThatSpeaksFirst) {
  TestServer ssh([](Stream& stream) { stream.send("SSH-2.0-OpenSSH_9.2\r\n", soon()); });
  EXPECT_ERROR(join_store(settings(ssh.url()), soon()), PS_ERR_SYSTEM, "an SSH server");
  TestServer other([](Stream& stream) { stream.send("\x01\x02zz", soon()); });
  EXPECT_ERROR(join_store(settings(other.url()), soon()), PS_ERR_SYSTEM, "something that sent the bytes 01 02 7a 7a");
}

TEST_F(StrangerTest, SomethingThatClosesAtOnce) {
  TestServer server([](Stream&) {});
  EXPECT_ERROR(join_store(settings(server.url()), soon()), PS_ERR_SYSTEM, "closes every connection");
}

TEST_F(StrangerTest, NobodyAtAll) {
  std::string url;
  {
    TestListener listener;
    url = listener.url();
  }
  EXPECT_ERROR(join_store(settings(url), Deadline::in_ms(50)), PS_ERR_TIMEOUT, url, "Connection refused");
  EXPECT_ERROR(join_store(settings(unix_url()), Deadline::in_ms(50)), PS_ERR_TIMEOUT, "No such file");
  EXPECT_ERROR(join_store(settings("tcp://no-such-host.invalid:1"), Deadline::in_ms(50)), PS_ERR_TIMEOUT,
               "no-such-host.invalid");
  EXPECT_ERROR(join_store(settings("mem://nobody"), Deadline::in_ms(20)), PS_ERR_TIMEOUT, "mem://nobody");
}

}  // namespace
}  // namespace ps
