/// Numbers of the pcapng format (draft-ietf-opsawg-pcapng); libpcap has no header for them.
enum PcapNG {
    static let byteOrderMagic: UInt32 = 0x1A2B_3C4D

    enum Block {
        static let sectionHeader: UInt32 = 0x0A0D_0D0A
        static let interfaceDescription: UInt32 = 1
        static let packet: UInt32 = 2
        static let simplePacket: UInt32 = 3
        static let nameResolution: UInt32 = 4
        static let interfaceStatistics: UInt32 = 5
        static let enhancedPacket: UInt32 = 6
    }

    enum Option {
        static let comment: UInt16 = 1
        static let sectionHardware: UInt16 = 2
        static let sectionSystem: UInt16 = 3
        static let sectionApplication: UInt16 = 4
        static let interfaceName: UInt16 = 2
        static let interfaceDescription: UInt16 = 3
        static let interfaceTimeResolution: UInt16 = 9
        static let interfaceFilter: UInt16 = 11
        static let interfaceTimeOffset: UInt16 = 14
        static let statisticsReceived: UInt16 = 4
        static let statisticsDropped: UInt16 = 5
        static let statisticsDelivered: UInt16 = 8
    }

    /// Records of a name resolution block.
    enum Name {
        static let end: UInt16 = 0
        static let ipv4: UInt16 = 1
        static let ipv6: UInt16 = 2
    }

    /// LINKTYPE_ETHERNET: the same number as DLT_EN10MB.
    static let ethernet: UInt16 = 1
}
