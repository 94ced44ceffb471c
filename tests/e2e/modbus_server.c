/*
 * A Modbus server on libmodbus: independent ground for the kit to stand on.
 *
 *   modbus_server tcp PORT UNIT         as a Victron GX: other units get exception 0x0A; PORT 0 takes a free one
 *   modbus_server rtu TTY UNIT BAUD     as a generator controller on RS-485: silent for other units, 8N1
 *
 * Prints "ready PORT" (PORT is 0 on RTU). Each line on standard input, "FUNCTION ADDRESS VALUE", sets a
 * holding (3) or input (4) register that the device then has, and is answered with "set"; addresses
 * never set are refused with exception 2. "requests" is answered with how many reads were answered.
 * A request with any other function than 3 or 4 is refused and told as "forbidden FUNCTION".
 * Ends with its standard input.
 *
 * libmodbus on RTU waits for the answer of another unit that was asked, and so swallows the request
 * after one to an absent unit: keep one unit to a line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPACE 65536

static uint8_t has[5][SPACE]; /* by function and address */
static modbus_mapping_t *map;
static modbus_t *ctx;
static int unit, answered, is_tcp;

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
  return 1;
}

static void say(const char *word, int number) {
  printf("%s %d\n", word, number);
  fflush(stdout);
}

/* One line of the test's; a line that is none ends the program, so that no slip goes unseen. */
static void obey(const char *line) {
  int function, address, value;
  if (!strncmp(line, "requests", 8)) {
    say("requests", answered);
    return;
  }
  if (sscanf(line, "%d %d %i", &function, &address, &value) != 3 || (function != 3 && function != 4) ||
      address < 0 || address >= SPACE || value < 0 || value > 0xFFFF) {
    fprintf(stderr, "not understood: %s\n", line);
    exit(2);
  }
  (function == 3 ? map->tab_registers : map->tab_input_registers)[address] = value;
  has[function][address] = 1;
  say("set", address);
}

/* Reads what is there and obeys each whole line; 0 at the end of input. */
static int listen_to_test(void) {
  static char text[4096];
  static size_t held;
  ssize_t got = read(STDIN_FILENO, text + held, sizeof text - 1 - held);
  if (got <= 0) return 0;
  held += got;
  text[held] = 0;
  char *line = text, *end;
  for (; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    obey(line);
  }
  held -= line - text;
  memmove(text, line, held);
  return 1;
}

static int has_all(int function, int address, int count) {
  for (int i = 0; i < count; i++)
    if (address + i >= SPACE || !has[function][address + i]) return 0;
  return 1;
}

static void answer(uint8_t *query, int length) {
  int head = modbus_get_header_length(ctx), function = query[head];
  int address = query[head + 1] << 8 | query[head + 2], count = query[head + 3] << 8 | query[head + 4];
  if (is_tcp && query[head - 1] != unit)
    modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_GATEWAY_PATH);
  else if (function != 3 && function != 4) {
    say("forbidden", function);
    modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_ILLEGAL_FUNCTION);
  } else if (!has_all(function, address, count))
    modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
  else if (modbus_reply(ctx, query, length, map) > 0)
    answered++;
}

/* One request from the socket or line in `ctx`; -1 if the connection is over. */
static int serve(void) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  int length = modbus_receive(ctx, query);
  if (length > 0) answer(query, length);
  return length == -1 && is_tcp ? -1 : 0;
}

static int open_tcp(const char *port) {
  ctx = modbus_new_tcp("127.0.0.1", atoi(port));
  return ctx ? modbus_tcp_listen(ctx, 8) : -1;
}

static int open_rtu(const char *tty, const char *baud) {
  ctx = modbus_new_rtu(tty, atoi(baud), 'N', 8, 1);
  if (!ctx || modbus_set_slave(ctx, unit) || modbus_connect(ctx)) return -1;
  return modbus_get_socket(ctx);
}

static int port_of(int door) {
  struct sockaddr_in name;
  socklen_t size = sizeof name;
  return is_tcp && !getsockname(door, (struct sockaddr *)&name, &size) ? ntohs(name.sin_port) : 0;
}

int main(int count, char **word) {
  if (count < 4) return fail("usage: modbus_server tcp PORT UNIT | rtu TTY UNIT BAUD");
  is_tcp = !strcmp(word[1], "tcp");
  unit = atoi(word[3]);
  int door = is_tcp ? open_tcp(word[2]) : count > 4 ? open_rtu(word[2], word[4]) : -1;
  map = modbus_mapping_new(0, 0, SPACE, SPACE);
  if (door < 0 || !map) return fail("cannot open");
  say("ready", port_of(door));

  fd_set open_ends;
  FD_ZERO(&open_ends);
  FD_SET(door, &open_ends);
  FD_SET(STDIN_FILENO, &open_ends);
  for (;;) {
    fd_set ready = open_ends;
    if (select(FD_SETSIZE, &ready, NULL, NULL, NULL) < 0) return fail("select");
    if (FD_ISSET(STDIN_FILENO, &ready) && !listen_to_test()) return 0;
    for (int end = STDERR_FILENO + 1; end < FD_SETSIZE; end++) {
      if (!FD_ISSET(end, &ready)) continue;
      if (is_tcp && end == door) {
        int visitor = accept(door, NULL, NULL);
        if (visitor >= 0) FD_SET(visitor, &open_ends);
        continue;
      }
      modbus_set_socket(ctx, end);
      if (serve() < 0) {
        close(end);
        FD_CLR(end, &open_ends);
      }
    }
  }
}
