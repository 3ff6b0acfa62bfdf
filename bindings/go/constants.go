package parallelstate

import "fmt"

// DataType is the type of a buffer's elements. The generic functions derive it; Pointers and NewReduceOp take it.
type DataType int32

// The data types of the library.
const (
	TypeInt8       DataType = 1
	TypeInt16      DataType = 2
	TypeInt32      DataType = 3
	TypeInt64      DataType = 4
	TypeUint8      DataType = 5
	TypeUint16     DataType = 6
	TypeUint32     DataType = 7
	TypeUint64     DataType = 8
	TypeFloat16    DataType = 9
	TypeBFloat16   DataType = 10
	TypeFloat32    DataType = 11
	TypeFloat64    DataType = 12
	TypeFloat8E4M3 DataType = 13
	TypeFloat8E5M2 DataType = 14
	TypeBool       DataType = 15
)

// ReduceOp is a reduction. The order of accumulation is the same on all ranks of a group, so all get the same bits.
type ReduceOp int32

// The reductions. Sum, Product, Min and Max take all types but Bool; Avg floats and integers; BitAnd, BitOr and BitXor
// integers; LogicalAnd, LogicalOr and LogicalXor Bool. PremulSum is only a kind for Group.NewReduceOp.
const (
	Sum        ReduceOp = 1
	Product    ReduceOp = 2
	Min        ReduceOp = 3
	Max        ReduceOp = 4
	Avg        ReduceOp = 5
	BitAnd     ReduceOp = 6
	BitOr      ReduceOp = 7
	BitXor     ReduceOp = 8
	LogicalAnd ReduceOp = 9
	LogicalOr  ReduceOp = 10
	LogicalXor ReduceOp = 11
	PremulSum  ReduceOp = 12
)

// LogLevel is how much the library logs.
type LogLevel int32

// The log levels. Zero in a Config means the environment's, else errors only.
const (
	LogOff   LogLevel = 1
	LogError LogLevel = 2
	LogWarn  LogLevel = 3
	LogInfo  LogLevel = 4
	LogDebug LogLevel = 5
	LogTrace LogLevel = 6
)

// CheckMode is how operations on device memory compare their signatures; those on host memory always compare first.
type CheckMode int32

// The check modes. Zero in a Config means CheckLate.
const (
	CheckOff    CheckMode = 1
	CheckLate   CheckMode = 2
	CheckStrict CheckMode = 3
)

// RankState is what is known of a rank's process.
type RankState int32

// The states of a rank.
const (
	RankAlive  RankState = 1
	RankSilent RankState = 2 // no heartbeat for a second or more: stopped, or starved of CPU
	RankLeft   RankState = 3 // left by Context.Close
	RankDead   RankState = 4 // its process ended without it
)

// String returns the state in words.
func (s RankState) String() string {
	switch s {
	case RankAlive:
		return "alive"
	case RankSilent:
		return "silent"
	case RankLeft:
		return "left"
	case RankDead:
		return "dead"
	}
	return fmt.Sprintf("RankState(%d)", int32(s))
}

// Direction says whether a Message is sent or received.
type Direction int32

// The directions of a message.
const (
	DirectionSend Direction = 1
	DirectionRecv Direction = 2
)

// Flags are options that are on or off; they are joined by |.
type Flags uint32

// The flags, and where they are accepted.
const (
	Deterministic        Flags = 0x1   // Config, GroupOptions: results depend on nothing but the input
	OwnCommunicator      Flags = 0x2   // GroupOptions: share no communicator with groups of equal members
	WarmUp               Flags = 0x4   // GroupOptions: connect now, not at the first operation
	HostOnly             Flags = 0x8   // Config, GroupOptions: host memory only, no device is touched
	AllowUnauthenticated Flags = 0x10  // Config, StoreOptions: bind beyond loopback without a secret
	Serve                Flags = 0x20  // StoreOptions: host the store
	NoEnvironment        Flags = 0x100 // Config: ignore the variables that say who a rank is and how its world is set up
	ShareDevice          Flags = 0x200 // Config: several ranks may use one device
)

// Special ranks and colours.
const (
	NoRank  = -1   // nobody, in FailedGlobalRank
	NoColor = -1   // Group.Split: this rank is part of no group
	Next    = -101 // as source or destination: the next rank in the ring of the group
	Prev    = -102 // as source or destination: the previous rank in the ring of the group
)
